import test from 'ava'
import type { Configuration } from '../../../core/network/configuration.ts'
import { withoutOldPins } from '../../../core/network/pins.ts'

const server = (routes: string[], gateways: string[], more: Configuration = {}): Configuration => ({
  ...{ server_name: 'ams3-0', ...more },
  cluster: { name: 'ams3', routes: more['routes'] ?? [], tls: { pinned_certs: routes } },
  gateway: { name: 'ams3', tls: { cert_file: 'a.crt', pinned_certs: gateways } },
})
const pin = (before: Configuration, after: Configuration) =>
  withoutOldPins(new Map([['ams3-0', before]]), new Map([['ams3-0', after]])).get('ams3-0')

test('of what changes only the pins are taken', (t) => {
  const after = server(['b'], ['d', 'e'], { max_connections: 7, routes: ['tls://b'] })
  t.deepEqual(pin(server(['a', 'b'], ['d']), after), server(['b'], ['d', 'e']))
})

const same: readonly [string, Configuration, Configuration][] = [
  ['somebody is pinned besides', server(['a'], ['d']), server(['a', 'b'], ['d', 'e'])],
  ['something else changes', server(['a'], ['d']), server(['a'], ['d'], { max_connections: 7 })],
  ['nobody was pinned', { server_name: 'ams3-0' }, server(['a'], ['d'])],
  [
    'nobody is pinned any more, for names are asked',
    server(['a'], ['d']),
    { server_name: 'ams3-0' },
  ],
]

for (const [what, before, after] of same)
  test(`nothing is to be done before a restart where ${what}`, (t) => {
    t.is(pin(before, after), undefined)
  })

test('who comes or goes has nobody to cut off', (t) => {
  const one = new Map([['ams3-0', server(['a'], ['d'])]])
  t.is(withoutOldPins(one, new Map()).size + withoutOldPins(new Map(), one).size, 0)
})
