// Several tabs, one connection: the server knows one state of this device in each group, and hears the newest that any tab
// announced. A tab that only listens, or leaves, takes back nothing of the others.
import type { Message } from './workspace-types.ts'

/** Turns what a tab says about presence into what the connection says. */
export const createPresenceRelay = (): ((tab: string, document: string, message: Message) => Message) => {
  /** By document and tab, newest last. */
  const states = new Map<string, Map<string, Message>>()
  return (tab, document, message) => {
    if (message.type !== 'presence') return message
    const ofDocument = states.get(document) ?? new Map<string, Message>()
    states.set(document, ofDocument)
    ofDocument.delete(tab)
    if (message['state'] !== null) ofDocument.set(tab, message)
    return [...ofDocument.values()].at(-1) ?? message
  }
}
