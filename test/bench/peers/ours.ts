// Syncline as a server under test: `server/main.ts` with defaults, one user, one group, one channel; every benchmark
// document is a record of that channel.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { documentName, type Peer, scriptPath, startProcess } from './peer.ts'

const USERNAME = 'bench'
const PASSWORD = 'bench-password-1'

const post = async <Data>(url: string, body: unknown, token?: string): Promise<Data> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text.slice(0, 500)}`)
  return (JSON.parse(text) as { data: Data }).data
}

/** A fresh token, and the channel: made at the first start on a directory, remembered in it for the next. */
const signIn = async (base: string, directory: string): Promise<{ token: string; channel: string }> => {
  const note = join(directory, 'bench-channel.txt')
  const channel = await readFile(note, 'utf8').catch(() => undefined)
  if (channel !== undefined) {
    const login = { identifier: USERNAME, password: PASSWORD }
    const { accessToken } = await post<{ accessToken: string }>(`${base}/auth/login`, login)
    return { token: accessToken, channel }
  }
  const account = { username: USERNAME, password: PASSWORD }
  const { accessToken } = await post<{ accessToken: string }>(`${base}/auth/register`, account)
  const group = await post<{ id: string }>(`${base}/groups`, { name: 'bench' }, accessToken)
  const created = await post<{ documentName: string }>(
    `${base}/groups/${group.id}/channels`,
    { type: 'DOC', name: 'bench' },
    accessToken,
  )
  const made = created.documentName.split('/')[1] as string
  await writeFile(note, made)
  return { token: accessToken, channel: made }
}

export const ours: Peer = {
  kind: 'ours',
  heapScript: scriptPath('./heap-ours.ts'),
  start: async (directory) => {
    const child = await startProcess(scriptPath('../../../server/main.ts'), {
      DATA_DIR: directory,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
    })
    try {
      const { token, channel } = await signIn(`http://${child.host}:${child.port}/api/v1`, directory)
      return {
        ...child,
        target: (index) => ({
          host: child.host,
          port: child.port,
          path: '/sync',
          document: documentName(channel, index),
          token,
        }),
      }
    } catch (error) {
      await child[Symbol.asyncDispose]()
      throw new Error(`signing in failed; the server printed:\n${child.output()}`, { cause: error })
    }
  },
}
