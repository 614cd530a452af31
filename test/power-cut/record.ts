// Records what a child process does to one directory, as strace saw it: one totally ordered list of writes, syncs and
// name changes, and of the lines it wrote to its acknowledgement file. Anything it cannot model stops the test.
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { NODE, startProcess } from '../helpers/processes.ts'

export type DiskEvent =
  /** From its start, a write may be on the disk, wholly or in part. */
  | { readonly kind: 'write'; readonly name: string; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly name: string; readonly length: number }
  /** What was written before a sync started is on the disk once it has returned. The directory itself is named '.'. */
  | { readonly kind: 'sync-start'; readonly name: string }
  | { readonly kind: 'sync-end'; readonly name: string }
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'ack'; readonly text: string }

const SYSTEM_CALLS =
  'openat,creat,pwrite64,write,pwritev,pwritev2,writev,ftruncate,truncate,fsync,fdatasync,sync_file_range,unlink,' +
  'unlinkat,rename,renameat,renameat2,fallocate,copy_file_range,sendfile,mmap'
const CHILD_MS_MAX = 600_000

/** Installs strace where it is missing and that is possible; otherwise says what to do. */
export const needStrace = (): void => {
  const has = (): boolean => {
    try {
      execFileSync('strace', ['-V'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  if (has()) return
  if (process.getuid?.() === 0) {
    try {
      execFileSync('apt-get', ['update'], { stdio: 'ignore' })
      execFileSync('apt-get', ['install', '-y', 'strace'], { stdio: 'ignore', env: process.env })
    } catch {
      // reason: whether it worked is what the next line asks.
    }
  }
  if (!has()) throw new Error('the power-cut test needs strace (Linux): apt-get install -y strace')
}

const unhex = (escaped: string): Buffer => Buffer.from(escaped.replaceAll(String.raw`\x`, ''), 'hex')
const tohex = (text: string): string =>
  Buffer.from(text)
    .toString('hex')
    .replaceAll(/../g, String.raw`\x$&`)

const LINE = /^(\d+) +(?:(\w+)\(|<\.\.\. (\w+) resumed>)/
/** The first argument as `-y` prints it: the descriptor and, in hex, the path it is open on. */
const DESCRIPTOR = /^(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?/

/** Reads one log of strace into events; `directory` is what the disk holds, `ackPath` the file beside it. */
export const parseRecord = (log: string, directory: string, ackPath: string): DiskEvent[] => {
  const events: DiskEvent[] = []
  const syncing = new Map<string, string>()
  const hexDirectory = tohex(directory)
  const hexAckPath = tohex(ackPath)
  const known = new Set<string>()

  const nameOf = (path: string): string => (path === directory ? '.' : basename(path))
  const write = (name: string, text: string): void => {
    const match = /, "((?:\\x[0-9a-f]{2})*)", (\d+), (\d+)/.exec(text)
    if (!match) throw new Error(`cannot read this write: ${text.slice(0, 300)}`)
    const data = unhex(match[1] as string)
    if (data.length !== Number(match[2])) throw new Error(`strace cut a write of ${match[2]} bytes short`)
    events.push({ kind: 'write', name, offset: Number(match[3]), data })
  }
  const openFile = (text: string): void => {
    const path = /, "((?:\\x[0-9a-f]{2})*)", ([A-Z_|]+)/.exec(text)
    const name = nameOf(unhex(path?.[1] ?? '').toString())
    if (path?.[2]?.includes('O_TRUNC')) throw new Error(`${name} was opened with O_TRUNC, which is not modelled`)
    if (!path?.[2]?.includes('O_CREAT') || known.has(name) || text.includes(' = -1 ')) return
    known.add(name)
    events.push({ kind: 'create', name })
  }
  const call = (pid: string, name: string, text: string): void => {
    if (name === 'openat') return openFile(text)
    if (name === 'unlink') {
      const file = basename(unhex(/"((?:\\x[0-9a-f]{2})*)"/.exec(text)?.[1] ?? '').toString())
      known.delete(file)
      events.push({ kind: 'unlink', name: file })
      return undefined
    }
    const descriptor = DESCRIPTOR.exec(name === 'mmap' ? (text.split(', ')[4] ?? '') : text)
    const file = nameOf(unhex(descriptor?.[1] ?? '').toString())
    if (descriptor?.[2]) return undefined
    if (name === 'pwrite64') return write(file, text)
    if (name === 'ftruncate') {
      events.push({ kind: 'truncate', name: file, length: Number(/, (\d+)\)/.exec(text)?.[1]) })
      return undefined
    }
    if (name === 'fsync' || name === 'fdatasync') {
      events.push({ kind: 'sync-start', name: file })
      if (text.endsWith(' = 0')) events.push({ kind: 'sync-end', name: file })
      else syncing.set(pid, file)
      return undefined
    }
    // The index beside the WAL is shared memory; it is rebuilt after a crash and never counts as stored.
    if (name === 'mmap' && file.endsWith('-shm')) return undefined
    throw new Error(`the child used ${name} on ${file}, which is not modelled`)
  }

  for (const line of log.split('\n')) {
    const match = LINE.exec(line)
    if (!match) continue
    const [head, pid = '', name, resumed] = match
    if (resumed === 'fsync' || resumed === 'fdatasync') {
      const file = syncing.get(pid)
      syncing.delete(pid)
      if (file !== undefined && line.endsWith(' = 0')) events.push({ kind: 'sync-end', name: file })
    } else if (name === 'write' && line.includes(hexAckPath)) {
      events.push({ kind: 'ack', text: unhex(/, "((?:\\x[0-9a-f]{2})*)"/.exec(line)?.[1] ?? '').toString() })
    } else if (name !== undefined && line.includes(hexDirectory)) call(pid, name, line.slice(head.length))
  }
  return events
}

/** Runs `script` with `args` under strace until it ends, and returns what it did to `directory`. */
export const record = async (
  script: string,
  args: readonly string[],
  { directory, ackPath }: { readonly directory: string; readonly ackPath: string },
): Promise<DiskEvent[]> => {
  const logPath = `${dirname(directory)}/strace.log`
  const options = ['-f', '--seccomp-bpf', '-y', '-xx', '-s', '4194304', '-e', `trace=${SYSTEM_CALLS}`, '-o', logPath]
  await using child = startProcess('strace', [...options, NODE, script, ...args])
  const timer = setTimeout(() => void child.kill('SIGKILL'), CHILD_MS_MAX)
  const { code, signal } = await child.exited
  clearTimeout(timer)
  if (code !== 0) throw new Error(`the child ended with ${signal ?? code}: ${child.output()}`)
  return parseRecord(await readFile(logPath, 'latin1'), directory, ackPath)
}
