// Rights that may have changed: what is open on one socket is looked up again, and what is being opened will be.
import type { LiveDocument } from './live-document.ts'
import type { Slot } from './slot.ts'

/** Later frames of the slot's document wait until the promise is settled. */
type WaitFor = (slot: Slot, wait: Promise<unknown>) => void

/**
 * Reviews what these users (null: everybody) have open; resolves when that is done, with the documents that were closed
 * because the login had ended.
 */
export const reviewSlots = async (
  slots: Iterable<Slot>,
  userIds: ReadonlySet<string> | null,
  waitFor: WaitFor,
): Promise<LiveDocument[]> => {
  const reviews: Promise<LiveDocument[]>[] = []
  for (const slot of slots) {
    // Who opens it is not known yet, so nobody is spared.
    if (slot.state === 'opening') slot.isOutdated = true
    if (slot.state !== 'open' || !slot.attachment || (userIds && !userIds.has(slot.attachment.userId))) continue
    const { live } = slot.attachment
    const review = slot.attachment.review()
    waitFor(slot, review)
    reviews.push(review.then((isLoggedIn) => (isLoggedIn ? [] : [live])))
  }
  return (await Promise.all(reviews)).flat()
}
