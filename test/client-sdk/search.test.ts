// What search finds in each kind of document, how it follows edits, and that what is closed is found no more.
import * as Y from 'yjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../client-sdk/index.ts'
import { createSearch, type Search, type SearchHit } from '../../client-sdk/search.ts'
import type { Handle } from '../../client-sdk/client-types.ts'
import { createListeners } from '../../client-sdk/listeners.ts'
import type { readTasks } from '../../shared/tasks/model.ts'
import { eventually } from '../helpers/eventually.ts'
import { GROUP_ID, openDocument } from './consumer/open-document.ts'

type Tasks = Handle<ReturnType<typeof readTasks>>

/** The subscribers of a document hear of an edit in a microtask. */
const told = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve))

const newSearch = (): Search => {
  const search = createSearch()
  onTestFinished(search.close)
  return search
}

const openTasks = async (id = 'channel-001'): Promise<Tasks> => (await openDocument<never>(`tasks/${id}`)).handle

const ids = (hits: readonly SearchHit[]): string[] => hits.map(({ id }) => id).toSorted()

const add = (list: Tasks, title: string, more: object = {}): string =>
  (list.run('task.add', { title, ...more }) as { id: string }).id

describe('what is found', () => {
  test('[RS10] a task, a card, a message, a check-in and a document by their texts', async () => {
    const search = newSearch()
    const list = await openTasks()
    const milk = add(list, 'Buy milk', { details: 'the green carton', labels: ['Errand'] })
    const board = (await openDocument('board/channel-002')).handle
    const column = (board.run('column.add', { name: 'To do' }) as { id: string }).id
    const card = (board.run('card.add', { column, title: 'Paint the fence' }) as { id: string }).id
    const chat = (await openDocument('chat/channel-003/0')).handle
    const message = (chat.run('message.send', { body: 'The ferry leaves at nine' }) as { id: string }).id
    const checkIns = (await openDocument('checkins/person-0001')).handle
    const scores = { productive: 5, satisfied: 5, body: 5, care: 5 }
    checkIns.run('checkin.submit', { groupId: GROUP_ID, ...scores, note: 'slept like a stone' })
    const text = (await openDocument('document/channel-004')).handle
    const paragraphs = ['A harbour', 'and a lighthouse'].map((line) => {
      const paragraph = new Y.XmlElement('paragraph')
      paragraph.insert(0, [new Y.XmlText(line)])
      return paragraph
    })
    text.doc.getXmlFragment('default').insert(0, paragraphs)
    const plain = (await openDocument('document/channel-005')).handle
    plain.doc.getText('body').insert(0, 'first lines\n\nthe second block')
    for (const handle of [list, board, chat, checkIns, text, plain]) await search.index(handle)

    const [found] = search.search('milk')
    expect(found).toMatchObject({ document: list.name, kind: 'tasks', id: milk, field: 'title', text: 'Buy milk' })
    expect(search.search('carton')[0]).toMatchObject({ id: milk, field: 'details', words: ['carton'] })
    expect(search.search('errand')[0]).toMatchObject({ id: milk, field: 'labels' })
    expect(search.search('fence')[0]).toMatchObject({ document: board.name, kind: 'board', id: card })
    expect(search.search('ferry')[0]).toMatchObject({ document: chat.name, kind: 'chat', id: message, field: 'body' })
    expect(search.search('stone')[0]).toMatchObject({ kind: 'checkins', field: 'note', text: 'slept like a stone' })
    expect(search.search('lighthouse')[0]).toMatchObject({ kind: 'document', id: '1', field: 'text' })
    expect(search.search('second')[0]).toMatchObject({ document: plain.name, id: '1', text: 'the second block' })
  })

  test.each([
    ['a beginning', 'lig', ['lighthouse']],
    ['one wrong letter', 'lihgthouse', ['lighthouse']],
    ['no accents', 'creme', ['Crème brûlée']],
    ['accents that are not there', 'mîlk', ['milk']],
    ['letters of other alphabets', 'strasse', ['Straße']],
    ['capitals', 'MILK', ['milk']],
    ['all words, in any order', 'brulee crème', ['Crème brûlée']],
    ['words without spaces between them', '東京', ['東京都に住む']],
    ['no word at all', ' … ', []],
    ['a word that nothing holds', 'zeppelin', []],
  ])('[RS11] %s', async (_what, query, titles) => {
    const search = newSearch()
    const list = await openTasks()
    for (const title of ['milk', 'lighthouse', 'Crème brûlée', 'Straße', '東京都に住む']) add(list, title)
    await search.index(list)
    expect(search.search(query).map(({ text }) => text)).toEqual(titles)
  })

  test('[RS12] the kinds and the number of hits are bounded by who asks', async () => {
    const search = newSearch()
    const list = await openTasks()
    for (let count = 0; count < 30; count++) add(list, `milk ${count}`)
    const chat = (await openDocument('chat/channel-003/0')).handle
    chat.run('message.send', { body: 'no milk today' })
    await Promise.all([search.index(list), search.index(chat)])
    expect(search.search('milk')).toHaveLength(20)
    expect(search.search('milk', { limit: 3 })).toHaveLength(3)
    expect(search.search('milk', { limit: 100 })).toHaveLength(31)
    expect(search.search('milk', { kinds: ['chat'] }).map(({ kind }) => kind)).toEqual(['chat'])
  })
})

describe('what changes', () => {
  test('[RS13] an edit, a new record and a deletion are seen at once, and nothing else is indexed again', async () => {
    const search = newSearch()
    const list = await openTasks()
    const [milk, bread] = [add(list, 'milk'), add(list, 'bread')]
    await search.index(list)
    const { words } = search.size()
    list.run('task.update', { id: milk, title: 'oat milk' })
    const eggs = add(list, 'eggs')
    list.run('task.delete', { id: bread })
    await told()
    expect(ids(search.search('oat'))).toEqual([milk])
    expect(ids(search.search('eggs'))).toEqual([eggs])
    expect(search.search('bread')).toEqual([])
    expect(search.size()).toMatchObject({ records: 2, words: words + 1 })
  })

  test('[RS13] a block of a document keeps its words when others come before it, and is named by its new number', async () => {
    const search = newSearch()
    const { handle } = await openDocument('document/channel-005')
    const text = handle.doc.getText('body')
    text.insert(0, 'same\n\nsame\n\nother')
    await search.index(handle)
    text.insert(0, 'new\n\n')
    await told()
    expect(ids(search.search('same'))).toEqual(['1', '2'])
    expect(ids(search.search('other'))).toEqual(['3'])
    text.delete(0, 'new\n\nsame\n\n'.length)
    await told()
    expect(ids(search.search('same'))).toEqual(['0'])
    expect(search.size().records).toBe(2)
  })

  test('[RS14] a document that goes on with another doc is followed', async () => {
    const search = newSearch()
    const { handle, replica } = await openDocument<ReturnType<typeof readTasks>>('tasks/channel-001')
    await search.index(handle)
    add(handle, 'milk')
    await handle.saved()
    await replica.rebuild(new Map(), [])
    add(handle, 'bread')
    await told()
    expect(search.search('milk')).toHaveLength(1)
    expect(search.search('bread')).toHaveLength(1)
  })

  test('[RS15] a document that is closed leaves the index, and the memory', async () => {
    const search = newSearch()
    const [kept, closed] = [await openTasks('channel-001'), await openTasks('channel-002')]
    add(kept, 'milk')
    for (let count = 0; count < 100; count++) add(closed, `word${count} milk`)
    await Promise.all([search.index(kept), search.index(closed)])
    expect(search.size()).toEqual({ documents: 2, records: 101, leftOut: 0, words: 101 })
    await closed.close()
    expect(search.search('milk').map(({ document }) => document)).toEqual([kept.name])
    await eventually(search.size, ({ words }) => words === 1)
    expect(search.size()).toEqual({ documents: 1, records: 1, leftOut: 0, words: 1 })
  })

  test('[RS15] so it does where a client opened it: at its closing, and with unsent edits at that of the client', async () => {
    const search = newSearch()
    await using client = await createClient({ url: 'http://127.0.0.1:9', storage: 'memory', offline: true })
    const [list, chat] = [await client.tasks('channel-001'), await client.chat('channel-002')]
    chat.send({ body: 'no milk today' })
    await Promise.all([search.index(list), search.index(chat)])
    expect(search.size().documents).toBe(2)
    await list.close()
    await eventually(search.size, ({ documents }) => documents === 1)
    await client.close()
    expect(search.size()).toMatchObject({ documents: 0, records: 0 })
  })

  test('[RS15] so it does at once where the handle says that it is closed', async () => {
    const search = newSearch()
    const list = await openTasks()
    add(list, 'milk')
    const closing = createListeners<void>()
    await search.index({ ...list, doc: list.doc, onClose: closing.add })
    closing.tell()
    expect(search.search('milk')).toEqual([])
  })

  test('[RS15] a document that is taken out is found no more, and is taken in again', async () => {
    const search = newSearch()
    const list = await openTasks()
    add(list, 'milk')
    await search.index(list)
    search.remove(list)
    add(list, 'milk chocolate')
    await told()
    expect(search.search('milk')).toEqual([])
    await search.index(list)
    expect(search.search('milk')).toHaveLength(2)
  })
})
