// From one person to the next on a device: what the one before leaves behind, and what the next takes over. Nobody has
// either area open meanwhile: other tabs close theirs when they are told, and come back when it is done.
import type { Account } from './account-types.ts'
import { areaOf } from './account.ts'
import { LEFT } from './area-keys.ts'
import { AppError } from '../shared/errors.ts'
import { adoptGuest, claimedBy, readAdopted } from './adopt-guest.ts'
import { sealOnDisk } from './logout.ts'
import { loadOperations } from './kinds.ts'
import type { Disk, Store } from './offline/store.ts'
import type { Workspace } from './workspace-types.ts'

/** Seals what was left by those who logged out; an area with nothing of its own goes as a whole. */
const sealLeft = async (device: Store, disk: Disk, current: string): Promise<void> => {
  for (const key of (await device.list(LEFT)).keys()) {
    const userId = key.slice(LEFT.length)
    if (userId !== current) await sealOnDisk(disk, areaOf(userId))
    await device.write({ del: [key] })
  }
}

/** Does what was decided about guests of this device in favour of the current user. */
const takeOver = async (account: Account, disk: Disk): Promise<void> => {
  const { user } = account
  for (const { guestId, plan } of await account.guests()) {
    if (plan?.userId !== user.id) continue
    const from = await disk.open(areaOf(guestId))
    const to = await disk.open(account.area)
    try {
      const claimed = await claimedBy(from)
      // Somebody else has begun to, and goes on at their next login.
      if (claimed !== null && claimed !== user.id) continue
      await adoptGuest({ from, fromUser: guestId, to, toUser: user.id, choice: plan.choice })
    } finally {
      await from[Symbol.asyncDispose]()
      await to[Symbol.asyncDispose]()
    }
    await disk.wipe(areaOf(guestId))
    await account.guestDone(guestId)
  }
}

/** Makes what was taken over this person's own edits; what cannot be is theirs in quarantine. */
export const makeAdopted = async (store: Store, workspace: Workspace): Promise<void> => {
  for (const [key, edit] of await readAdopted(store)) {
    const replica = await workspace.acquire(edit.document)
    try {
      replica.adopt(edit, await loadOperations(edit.document))
      await replica.saved()
      await store.write({ del: [key] })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const { document, update = new Uint8Array(), operation, clientId } = edit
      const entry = { seq: 0, document, update, pending: { clientId, ...(operation && { operation }) } }
      const put = workspace.quarantine.toPut([{ entry, code: error.code, path: '' }])
      await store.write({ del: [key], put })
      await workspace.quarantine.refresh()
    } finally {
      await workspace.release(edit.document)
    }
  }
}

/** To be done before the current person's area is opened; a crash in between is made good at the next start. */
export const prepareArea = async (account: Account, disk: Disk, device: Store): Promise<void> => {
  await sealLeft(device, disk, account.user.id)
  if (!account.user.isGuest) await takeOver(account, disk)
}
