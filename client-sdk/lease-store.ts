// Where leases are kept: a small database of the browser, one record for each name, changed in one transaction.

export interface LeaseHolder {
  /** Names the holder too: nobody else gets the same number. */
  readonly fence: number
  readonly isShared: boolean
}

export interface LeaseRecord {
  /** The highest that was ever given. */
  readonly fence: number
  readonly holders: readonly LeaseHolder[]
}

export interface LeaseStore {
  /** Compares and sets: `change` sees the record as it is and returns what it becomes, or null, which leaves it. */
  readonly update: (name: string, change: (record: LeaseRecord) => LeaseRecord | null) => Promise<void>
}

const DATABASE = 'syncline-leases'
const TABLE = 'lease'
/** Somebody may be deleting the database, and be kept from it. */
const OPEN_MS_MAX = 10_000

const openDatabase = (): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1)
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new Error('the database of leases does not open'))
    }, OPEN_MS_MAX)
    opening.onupgradeneeded = () => void opening.result.createObjectStore(TABLE)
    opening.onsuccess = () => {
      clearTimeout(timer)
      if (isLate) opening.result.close()
      else resolve(opening.result)
    }
    opening.onerror = () => {
      clearTimeout(timer)
      reject(opening.error)
    }
  })

/** Of a name that nobody ever held, or of a database that was cleared: a number that no holder of before had. */
export const newLease = (): LeaseRecord => ({ fence: Date.now(), holders: [] })

const updateIn = (
  database: IDBDatabase,
  name: string,
  change: (record: LeaseRecord) => LeaseRecord | null,
): Promise<void> =>
  new Promise((resolve, reject) => {
    // Nobody who holds a lease survives the machine: no write has to wait for the disk.
    const writing = database.transaction(TABLE, 'readwrite', { durability: 'relaxed' })
    const table = writing.objectStore(TABLE)
    const reading = table.get(name) as IDBRequest<LeaseRecord | undefined>
    reading.onsuccess = () => {
      const next = change(reading.result ?? newLease())
      if (next) table.put(next, name)
    }
    writing.oncomplete = () => resolve()
    writing.onabort = () => reject(writing.error ?? new Error('the browser closed the database of leases'))
  })

/** Rejects where the database cannot be opened. */
export const openLeaseStore = async (): Promise<LeaseStore> => {
  let opened: IDBDatabase | null = null
  const open = async (): Promise<IDBDatabase> => {
    const database = await openDatabase()
    opened = database
    const forget = (): void => {
      if (opened === database) opened = null
    }
    // The user clears what the browser keeps: it is opened again when it is needed.
    database.onclose = forget
    database.onversionchange = () => {
      forget()
      database.close()
    }
    return database
  }
  await open()
  return { update: async (name, change) => updateIn(opened ?? (await open()), name, change) }
}
