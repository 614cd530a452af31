// People, groups and channels for tests, made as a client makes them: over HTTP.

export interface Person {
  readonly id: string
  readonly username: string
  readonly accessToken: string
  readonly refreshToken: string
}

export interface Group {
  readonly id: string
  readonly accessCode: string
}

export interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly data: unknown
}

export const PASSWORD = 'a quiet violet kettle'

/** One request to the API below `url` (`http://host:port`). */
export const ask = async (
  url: string,
  method: string,
  path: string,
  { token, body }: { readonly token?: string; readonly body?: unknown } = {},
): Promise<Answer> => {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed = (text ? JSON.parse(text) : {}) as { data?: unknown; error?: { code: string } }
  return { status: response.status, code: parsed.error?.code, data: parsed.data }
}

const must = async <Data>(...args: Parameters<typeof ask>): Promise<Data> => {
  const answer = await ask(...args)
  if (answer.status >= 300) throw new Error(`${args[1]} ${args[2]}: ${answer.status} ${answer.code}`)
  return answer.data as Data
}

let lastNumber = 0

interface LoggedIn {
  readonly user: { readonly id: string; readonly username: string }
  readonly accessToken: string
  readonly refreshToken: string
}

const toPerson = ({ user, accessToken, refreshToken }: LoggedIn): Person => ({ ...user, accessToken, refreshToken })

export const register = async (url: string, username = `person_${++lastNumber}`): Promise<Person> =>
  toPerson(await must<LoggedIn>(url, 'POST', '/auth/register', { body: { username, password: PASSWORD } }))

/** A new login of the same person: a second device. */
export const login = async (url: string, { username }: Pick<Person, 'username'>): Promise<Person> =>
  toPerson(await must<LoggedIn>(url, 'POST', '/auth/login', { body: { identifier: username, password: PASSWORD } }))

export const createGroup = (url: string, { accessToken: token }: Person, name = 'group'): Promise<Group> =>
  must<Group>(url, 'POST', '/groups', { token, body: { name } })

export const joinGroup = (url: string, { accessToken: token }: Person, { accessCode }: Group): Promise<Group> =>
  must<Group>(url, 'POST', '/groups/join', { token, body: { accessCode } })

/** Makes a channel and returns the name of its document. */
export const createDocument = async (url: string, { accessToken: token }: Person, { id }: Group): Promise<string> => {
  const body = { type: 'DOC', name: 'channel' }
  return (await must<{ documentName: string }>(url, 'POST', `/groups/${id}/channels`, { token, body })).documentName
}

export interface Team {
  readonly group: Group
  readonly people: readonly [Person, ...Person[]]
  /** Makes one more document that all of them may write. */
  readonly newDocument: () => Promise<string>
}

/** `size` people in one group; the first owns it. */
export const createTeam = async (url: string, size: number): Promise<Team> => {
  const owner = await register(url)
  const group = await createGroup(url, owner)
  const others = await Promise.all(Array.from({ length: size - 1 }, () => register(url)))
  await Promise.all(others.map((person) => joinGroup(url, person, group)))
  return { group, people: [owner, ...others], newDocument: () => createDocument(url, owner, group) }
}
