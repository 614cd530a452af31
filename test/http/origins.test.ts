// Which pages may open a socket: fifty spellings that look like an allowed origin, on both paths, each as a browser or a
// forger would send it.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'

const ALLOWED = [
  'https://app.example.org',
  'http://localhost:5173',
  'https://xn--bcher-kva.example',
  'http://[::1]:8080',
]

/** Status of the answer to an upgrade with these headers. */
const upgrade = (url: string, path: string, headers: Record<string, string | string[]>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        ...headers,
      },
    })
    asked.on('upgrade', (answer, socket) => {
      socket.destroy()
      resolve(answer.statusCode)
    })
    asked.on('response', (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })

/** `own` is the server's own origin, `host` what is in its Host header. */
const goodOrigins = (own: string, host: string): readonly string[] => [...ALLOWED, own, `https://${host}`]

const badOrigins = (own: string, host: string): Record<string, string | string[]> => ({
  null: 'null',
  empty: '',
  star: '*',
  'a word': 'app.example.org',
  'no scheme': '//app.example.org',
  'another site': 'https://evil.example',
  suffix: 'https://app.example.org.evil.example',
  'suffix without a dot': 'https://app.example.orgevil',
  prefix: 'https://evil-app.example.org',
  'prefix without a dash': 'https://evilapp.example.org',
  subdomain: 'https://a.app.example.org',
  'parent domain': 'https://example.org',
  sibling: 'https://api.example.org',
  'a dot replaced': 'https://appxexample.org',
  port: 'https://app.example.org:8443',
  'the default port': 'https://app.example.org:443',
  'an empty port': 'https://app.example.org:',
  'port 0': 'https://app.example.org:0',
  'another port': 'http://localhost:5174',
  'no port': 'http://localhost',
  'a longer port': 'http://localhost:51730',
  'http for https': 'http://app.example.org',
  'https for http': 'https://localhost:5173',
  'ws for https': 'wss://app.example.org',
  file: 'file://app.example.org',
  extension: 'chrome-extension://app.example.org',
  data: 'data:text/html,https://app.example.org',
  'upper-case host': 'https://APP.example.org',
  'upper-case scheme': 'HTTPS://app.example.org',
  'trailing dot': 'https://app.example.org.',
  'trailing slash': 'https://app.example.org/',
  path: 'https://app.example.org/x',
  query: 'https://app.example.org?x',
  fragment: 'https://app.example.org#x',
  'user info': 'https://app.example.org@evil.example',
  'user info before': 'https://evil@app.example.org',
  backslash: 'https://app.example.org\\.evil.example',
  'percent code': 'https://app%2eexample.org',
  'percent zero': 'https://app.example.org%00.evil.example',
  'a tab inside': 'https://app.example\t.org',
  'two origins': 'https://app.example.org https://evil.example',
  'two in a list': 'https://app.example.org, https://evil.example',
  'two headers': ['https://app.example.org', 'https://evil.example'],
  'zero width space': Buffer.from('https://app.example\u200b.org').toString('latin1'),
  'IDN in Unicode': Buffer.from('https://bücher.example').toString('latin1'),
  'a Cyrillic а': Buffer.from('https://\u0430pp.example.org').toString('latin1'),
  'punycode of it': 'https://xn--pp-6kc.example.org',
  'full-width letters': Buffer.from('https://ａｐｐ.example.org').toString('latin1'),
  'IPv6 by a longer name': 'http://[0:0:0:0:0:0:0:1]:8080',
  'IPv6 without brackets': 'http://::1:8080',
  'IPv6 on another port': 'http://[::1]:8081',
  'IPv4 in IPv6': 'http://[::ffff:127.0.0.1]:8080',
  'own host, a path': `${own}/x`,
  'own host, a slash': `${own}/`,
  'own host, user info': own.replace('//', '//evil@'),
  'own host, a trailing dot': own.replace('127.0.0.1', '127.0.0.1.'),
  'own host in decimal': own.replace('127.0.0.1', '2130706433'),
  'own host in octal': own.replace('127.0.0.1', '0177.0.0.1'),
  'own host, shortened': own.replace('127.0.0.1', '127.1'),
  'own host by name': own.replace('127.0.0.1', 'localhost'),
  'own host on another port': own.replace(/\d+$/, '1'),
  'own host, upper-case scheme': own.replace('http', 'HTTP'),
  'own host as ftp': `ftp://${host}`,
  'own host as ws': `ws://${host}`,
})

test('[HP20] a socket opens for the allowed origins, spelled exactly, for the server’s own, and for programs; for no other', async () => {
  await using server = await startOwnServer({ ALLOWED_ORIGINS: ALLOWED.join(',') })
  const { url } = server
  const bad = Object.entries(badOrigins(url, new URL(url).host))
  assert.ok(bad.length >= 50)
  for (const path of ['/sync', '/yjs/document/some-document']) {
    assert.equal(await upgrade(url, path, {}), 101)
    for (const origin of goodOrigins(url, new URL(url).host))
      assert.equal(await upgrade(url, path, { origin }), 101, origin)
    for (const [shape, origin] of bad) assert.equal(await upgrade(url, path, { origin }), 403, shape)
  }
  process.stdout.write(`origins: ${bad.length} shapes refused on 2 paths, ${ALLOWED.length + 2} allowed\n`)
})
