// The end of the audit log, which only its anchor can show was cut off; the command that checks both; and the refused
// writes that the log is told of.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { createAudit, verifyAudit } from '../../server/audit.ts'
import { keepAnchor, readAnchor, writeAnchor } from '../../server/audit-anchor.ts'
import { createLogger } from '../../server/log.ts'
import { createRefusals } from '../../server/refusals.ts'
import { openSecrets } from '../../server/secret.ts'
import { startOwnServer } from '../compat/servers.ts'
import { createGroup, createTeam, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { NODE, startProcess } from '../helpers/processes.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { add, AUDIT_KEY, endAt, mustHead, openChain, TAMPERINGS } from './audit-chain.ts'

const seed = chooseSeed()

const FOLLOW_MS_MAX = 5_000

let databases = 0
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-anchor-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the anchor', () => {
  test(`[AU1] any change of the file is found (SEED=${seed})`, async () => {
    const dataDir = await mkdtemp(join(folder, 'anchor-'))
    assert.equal(await readAnchor(dataDir, AUDIT_KEY), null)
    const anchor = { seq: 12, hash: 'a'.repeat(64) }
    await writeAnchor(dataDir, AUDIT_KEY, anchor)
    assert.deepEqual(await readAnchor(dataDir, AUDIT_KEY), anchor)
    await assert.rejects(readAnchor(dataDir, new Uint8Array(32)), /another key/)
    const path = join(dataDir, 'audit.anchor')
    const good = await readFile(path)
    const random = createRandom(seed)
    for (let time = 0; time < TAMPERINGS; time++) {
      const bytes = Buffer.from(good)
      const at = random.int(0, bytes.length - 1)
      bytes[at] = (bytes[at] as number) ^ random.int(1, 255)
      await writeFile(path, random.chance(0.8) ? bytes : good.subarray(0, at))
      await assert.rejects(readAnchor(dataDir, AUDIT_KEY), /was changed/, bytes.toString())
    }
  })

  test('[AU2] it follows within a second, and to the end at a stop', async () => {
    await using chain = await openChain({ sqlite: join(folder, `${++databases}.sqlite`) }, 3)
    const { storage, audit } = chain
    const dataDir = await mkdtemp(join(folder, 'anchor-'))
    const log = createLogger({ level: 'error' })
    {
      using ownTime = startOwnTime()
      await using _anchor = keepAnchor({ db: storage.db, key: AUDIT_KEY, dataDir, log })
      const follows = (seq: number) =>
        eventually(
          () => readAnchor(dataDir, AUDIT_KEY),
          (anchor) => anchor?.seq === seq,
          { msMax: FOLLOW_MS_MAX, now: ownTime.now, what: `anchor at ${seq}` },
        )
      await follows(3)
      await add(storage, audit, { actor: null, action: 'member.joined' })
      await follows(4)
      await add(storage, audit, { actor: null, action: 'member.joined' })
    }
    assert.deepEqual(await readAnchor(dataDir, AUDIT_KEY), await mustHead(storage.db))
  })

  test('[AU2] it stays where it is when the log was cut, however long the log grows again', async () => {
    await using chain = await openChain({ sqlite: join(folder, `${++databases}.sqlite`) }, 10)
    const { storage, audit } = chain
    const { db } = storage
    const dataDir = await mkdtemp(join(folder, 'anchor-'))
    const logLines: string[] = []
    const log = createLogger({ level: 'error', write: (line) => logLines.push(line) })
    const restart = () => keepAnchor({ db, key: AUDIT_KEY, dataDir, log })[Symbol.asyncDispose]()
    await restart()
    const anchor = await readAnchor(dataDir, AUDIT_KEY)
    assert.equal(anchor?.seq, 10)
    await db.deleteFrom('audit_log').where('seq', '>', 6).execute()
    await endAt(db, 6)
    await restart()
    for (let index = 0; index < 8; index++) await add(storage, audit, { actor: null, action: 'member.joined' })
    await restart()
    assert.deepEqual(await readAnchor(dataDir, AUDIT_KEY), anchor)
    assert.equal((await verifyAudit(db, AUDIT_KEY, anchor)).broken?.seq, 10)
    assert.deepEqual(
      logLines.map((line) => JSON.parse(line)).map(({ event, anchored, found }) => [event, anchored, found]),
      [
        ['audit.cut-off', 10, 6],
        ['audit.cut-off', 10, 14],
      ],
    )
  })
})

describe('the command', () => {
  const verify = async (dataDir: string) => {
    const command = startProcess(NODE, ['server/audit-verify.ts'], { env: { DATA_DIR: dataDir } })
    const { code } = await command.exited
    return { code, output: command.output().trim() }
  }

  test('[AU3] it counts the entries, and names the first that is broken', async () => {
    const server = await startOwnServer()
    const { folder: dataDir, storage, url } = server
    const owner = await register(url)
    await createGroup(url, owner)
    await add(
      storage,
      createAudit({ key: (await openSecrets({ dataDir, secretKey: undefined })).auditKey, now: Date.now }),
      {
        actor: owner.id,
        action: 'member.joined',
      },
    )
    await eventually(
      () => verify(dataDir),
      ({ code, output }) =>
        code === 0 && /^the audit log is whole: [1-9]\d* entries, anchored up to [1-9]\d*$/.test(output),
    )
    await storage.db.updateTable('audit_log').set({ at: 1 }).where('seq', '=', 1).execute()
    const broken = await verify(dataDir)
    assert.equal(broken.code, 1)
    assert.match(broken.output, /^the audit log is broken at entry 1: .*$/)
    await server[Symbol.asyncDispose]()
  })
})

describe('refused writes', () => {
  test('[AU4] a forged message on a socket is told once a minute', async () => {
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 1)
    const [person] = people
    const document = await newDocument()
    const told = async () =>
      (await server.storage.db.selectFrom('audit_log').selectAll().where('action', '=', 'write.refused').execute()).map(
        ({ actor, target, details }) => [actor, target, details],
      )
    for (let time = 0; time < 3; time++) {
      const client = await connectWire(server.syncUrl)
      const opened = await client.open(document, person.accessToken)
      opened.sendUpdate(new Uint8Array([1, 2, 3]))
      await eventually(
        () => server.logLines.filter((line) => line.includes('update.refused')).length,
        (count) => count === time + 1,
      )
      client.close()
    }
    await eventually(told, (entries) => entries.length > 0)
    assert.deepEqual(await told(), [[person.id, document, '{"code":"malformed"}']])
  })

  test('[AU4] each person and document is told for itself, again after a minute, and memory is bounded', async () => {
    await using chain = await openChain({ sqlite: join(folder, `${++databases}.sqlite`) }, 0)
    const { storage, audit } = chain
    const clock = { time: 0 }
    const log = createLogger({ level: 'error' })
    const count = async (): Promise<number> => (await mustHead(storage.db)).seq
    const tell = async (refusals: readonly [userId: string, document: string][]): Promise<void> => {
      for (const [userId, document] of refusals) told.tell({ userId, document, code: 'malformed' })
      await told[Symbol.asyncDispose]()
    }
    const told = createRefusals({ db: storage.db, audit, log, now: () => clock.time })
    await tell([
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'x'],
    ])
    assert.equal(await count(), 3)
    clock.time += 59_999
    await tell([['a', 'x']])
    assert.equal(await count(), 3)
    clock.time += 1
    await tell([
      ['a', 'x'],
      ['a', 'x'],
    ])
    assert.equal(await count(), 4)
    await tell(Array.from({ length: 500 }, (_, index) => ['flood', String(index)] as const))
    assert.equal(await count(), 104)
  })
})
