// Full-text search over open documents, on this device alone. It follows each document and indexes again what changed; a
// document that is closed leaves the index. It keeps nothing on the disk.
import MiniSearch from 'minisearch'
import { SEARCH_TERMS_MAX } from '../shared/limits.ts'
import type { Handle } from './client-types.ts'
import {
  FIELDS,
  fold,
  isSame,
  isSearchKind,
  type SearchField,
  type SearchKind,
  type Texts,
  VISITS,
  wordsOf,
} from './search-texts.ts'

export type { SearchField, SearchKind }

/** A record, or a block of a document, that holds all words of a query. */
export interface SearchHit {
  /** Name of the document, `kind/id[/part]`. */
  readonly document: string
  readonly kind: SearchKind
  /** Id of the task, card, message or check-in; of a document's block its number, from `0`. */
  readonly id: string
  /** The first field in which a word was found. */
  readonly field: SearchField
  /** What stands in that field. */
  readonly text: string
  /** The words that were found, as they are indexed: in small letters, without accents. */
  readonly words: readonly string[]
  /** Higher is better; comparable within one answer only. */
  readonly score: number
}

/** What of the index is asked, and for how much. */
export interface SearchOptions {
  /** Without it, all. */
  readonly kinds?: readonly SearchKind[]
  /** 20 without it; at most 1,000. */
  readonly limit?: number
}

/** What search asks of a document: every handle of the SDK fits. */
export interface Searchable extends Pick<Handle<unknown>, 'name' | 'doc' | 'read' | 'subscribe'> {
  /** Where it is given, it says when the document is closed; otherwise its doc does, by ending. */
  readonly onClose?: (listener: () => void) => () => void
}

/** An index of the documents it was given. */
export interface Search {
  /**
   * Takes a document in, and follows it until it is closed, some seconds longer, and until its edits are stored; `remove`
   * ends that at once. Resolves when all of it can be found; a later change can be found when its subscribers have heard
   * of it, one of more than 300 records shortly after. Documents that hold no text are passed over.
   */
  readonly index: (handle: Searchable) => Promise<void>
  /**
   * What holds all words of `query`, best first: whole words, beginnings, and from four letters on also words that are
   * spelled almost alike. Neither capitals nor accents count. Of a query the first 12 words count.
   */
  readonly search: (query: string, options?: SearchOptions) => SearchHit[]
  /** How much is in the index; `leftOut` counts records that had no place: it takes 200,000. */
  readonly size: () => { documents: number; records: number; leftOut: number; words: number }
  /** Takes a document out, open or not. */
  readonly remove: (handle: Pick<Searchable, 'name'>) => void
  readonly close: () => void
}

const RECORDS_MAX = 200_000
const QUERY_LENGTH_MAX = 1_000
const HITS = 20
const HITS_MAX = 1_000
/** Records that are indexed in one go, about 10 ms of work; between two goes others have their turn. */
const RECORDS_PER_TURN = 300
const FUZZY_LENGTH_MIN = 4

/** One record in the index. */
interface Indexed {
  readonly key: number
  readonly source: Source
  id: string
  record: unknown
  texts: Texts
  /** The last pass over the document that saw it. */
  pass: number
}

interface Source {
  readonly kind: SearchKind
  readonly handle: Searchable
  readonly records: Map<string, Indexed>
  /** Records that had no place. */
  leftOut: number
  pass: number
  unsubscribe: () => void
  updating: Promise<void> | null
  isReleased: boolean
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

const createIndex = (): MiniSearch<Indexed> =>
  new MiniSearch<Indexed>({
    idField: 'key',
    fields: [...FIELDS],
    extractField: (indexed, field) => (field === 'key' ? indexed.key : indexed.texts[field as SearchField]),
    tokenize: wordsOf,
    processTerm: fold,
    autoVacuum: false,
    searchOptions: {
      combineWith: 'AND',
      prefix: true,
      fuzzy: (word) => (word.length >= FUZZY_LENGTH_MIN ? 0.2 : false),
      maxFuzzy: 2,
      boost: { title: 2 },
    },
  })

/**
 * Makes an empty index. It costs memory, about as much as the texts it holds, and no disk.
 *
 * @example
 * ```ts
 * const client = await createClient({ url: 'http://localhost:4400', storage: 'memory' })
 * const list = await client.tasks('019f5a1c7e3b-groceries')
 * const search = createSearch()
 * await search.index(list)
 * for (const { document, id, text } of search.search('milk', { kinds: ['tasks'], limit: 5 })) console.log(document, id, text)
 * ```
 */
export const createSearch = (): Search => {
  const sources = new Map<string, Source>()
  const byKey = new Map<number, Indexed>()
  const index = createIndex()
  let lastKey = 0

  const takeOut = (indexed: Indexed, key: string): void => {
    index.remove(indexed)
    byKey.delete(indexed.key)
    indexed.source.records.delete(key)
  }

  /** Brings up to RECORDS_PER_TURN records up to date; false when there are more. */
  const updateSome = (source: Source): boolean => {
    const pass = ++source.pass
    let left = RECORDS_PER_TURN
    source.leftOut = 0
    VISITS[source.kind](source.handle.read(), (key, id, record, textsOf) => {
      const known = source.records.get(key)
      if (known) {
        known.pass = pass
        known.id = id
        if (known.record === record) return
      }
      if (left === 0) return
      const texts = textsOf()
      if (known && isSame(known.texts, texts)) {
        known.record = record
        return
      }
      if (!known && byKey.size >= RECORDS_MAX) {
        source.leftOut++
        return
      }
      left--
      if (known) takeOut(known, key)
      const fresh: Indexed = { key: ++lastKey, source, id, record, texts, pass }
      index.add(fresh)
      byKey.set(fresh.key, fresh)
      source.records.set(key, fresh)
    })
    for (const [key, indexed] of source.records) if (indexed.pass !== pass) takeOut(indexed, key)
    return left > 0
  }

  const updateRest = async (source: Source): Promise<void> => {
    do await nextTurn()
    while (!source.isReleased && !updateSome(source))
    source.updating = null
  }

  /** At once as far as one turn goes. Turns that are still to come see this change too. */
  const update = (source: Source): Promise<void> => {
    if (source.updating === null && !source.isReleased && !updateSome(source)) source.updating = updateRest(source)
    return source.updating ?? Promise.resolve()
  }

  const release = (source: Source): void => {
    if (source.isReleased) return
    source.isReleased = true
    source.unsubscribe()
    if (sources.get(source.handle.name) === source) sources.delete(source.handle.name)
    const keys = Array.from(source.records.values(), ({ key }) => key)
    for (const key of keys) byKey.delete(key)
    source.records.clear()
    // Taken out at once, cleared away in the background.
    index.discardAll(keys)
    void index.vacuum()
  }

  /** A doc ends when its document is closed, and when the document goes on with another doc. */
  const followDoc = (source: Source): void => {
    const { doc } = source.handle
    doc.on('destroy', () => {
      if (source.handle.doc === doc) release(source)
      else if (!source.isReleased) followDoc(source)
    })
  }

  const add = (handle: Searchable): Promise<void> => {
    const kind = handle.name.split('/')[0] as string
    if (!isSearchKind(kind)) return Promise.resolve()
    const known = sources.get(handle.name)
    if (known?.handle === handle) return known.updating ?? Promise.resolve()
    if (known) release(known)
    const records = new Map<string, Indexed>()
    const idle = { unsubscribe: () => {}, updating: null, isReleased: false }
    const source: Source = { kind, handle, records, leftOut: 0, pass: 0, ...idle }
    sources.set(handle.name, source)
    const stops = [handle.subscribe(() => void update(source)), handle.onClose?.(() => release(source))]
    source.unsubscribe = () => stops.forEach((stop) => stop?.())
    followDoc(source)
    return update(source)
  }

  const toHit = ({ id: key, match, terms, score }: ReturnType<typeof index.search>[number]): SearchHit => {
    const { source, id, texts } = byKey.get(key as number) as Indexed
    const found = new Set(Object.values(match).flat())
    const field = FIELDS.find((name) => found.has(name)) as SearchField
    return { document: source.handle.name, kind: source.kind, id, field, text: texts[field] ?? '', words: terms, score }
  }

  return {
    index: add,
    search: (query, { kinds, limit = HITS } = {}) => {
      const words = wordsOf(query.slice(0, QUERY_LENGTH_MAX)).filter((word) => word !== '')
      const first = words.slice(0, SEARCH_TERMS_MAX).join(' ')
      const isWanted = (key: number): boolean => kinds?.includes((byKey.get(key) as Indexed).source.kind) ?? true
      const found = index.search(first, { filter: ({ id }) => isWanted(id as number) })
      return found.slice(0, Math.min(limit, HITS_MAX)).map(toHit)
    },
    size: () => ({
      documents: sources.size,
      records: byKey.size,
      leftOut: [...sources.values()].reduce((sum, { leftOut }) => sum + leftOut, 0),
      words: index.termCount,
    }),
    remove: ({ name }) => {
      const source = sources.get(name)
      if (source) release(source)
    },
    close: () => {
      for (const source of sources.values()) release(source)
    },
  }
}
