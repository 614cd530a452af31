// Scenes for tests of the outbox: people who are registered on devices of their own, commands, and what a server has done.
import { v7 as newId } from 'uuid'
import type { Account } from '../../client-sdk/account-types.ts'
import type { NewCommand, Outbox } from '../../client-sdk/outbox-types.ts'
import type { OwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { createDevice, type Device } from './device.ts'

let lastNumber = 0
export const nextSender = (): string => `sender_${++lastNumber}`

/** A new device, on which somebody has just registered. */
export const openRegistered = async (url: string): Promise<{ readonly device: Device; readonly account: Account }> => {
  const device = await createDevice(url)
  const account = await device.open()
  await account.register({ username: nextSender(), password: PASSWORD })
  return { device, account }
}

export const newGroup = (id = newId(), name = 'Friday club'): NewCommand => ({
  id,
  method: 'POST',
  path: '/groups',
  body: { id, name },
})

export const newChannel = (groupId: string, id = newId()): NewCommand => ({
  id,
  method: 'POST',
  path: `/groups/${groupId}/channels`,
  body: { id, type: 'TODO', name: 'Shopping' },
})

export const newCode = (groupId: string): NewCommand => ({
  id: newId(),
  method: 'POST',
  path: `/groups/${groupId}/code`,
  body: { maxUses: 5 },
})

export const states = (outbox: Outbox) => outbox.list().map(({ id, state, code }) => [id, state, code ?? null])

/** How often the server has done what about this thing. */
export const done = async ({ storage }: OwnServer, target: string): Promise<string[]> => {
  const { db } = storage
  const rows = await db.selectFrom('audit_log').select('action').where('target', '=', target).orderBy('seq').execute()
  return rows.map(({ action }) => action)
}
