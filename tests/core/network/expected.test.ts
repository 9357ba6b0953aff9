import test from 'ava'
import { expectedFunctions, expectedServers } from '../../../core/network/expected.ts'
import { archipelago } from '../trust/example.ts'

test('every region has its servers, numbered', (t) => {
  const regions = archipelago.regions.map((region) => ({ ...region, servers: 2 }))
  t.deepEqual(expectedServers({ ...archipelago, regions }), [
    ...['ams3-0', 'ams3-1', 'sfo2-0', 'sfo2-1', 'sgp1-0', 'sgp1-1'],
  ])
})

test('every region has a function for each door that some role has', (t) => {
  const places = expectedFunctions(archipelago).map(({ region, door }) => `${region}-${door}`)
  t.deepEqual(places, [
    ...['ams3-lobby', 'ams3-invite', 'sfo2-lobby', 'sfo2-invite', 'sgp1-lobby', 'sgp1-invite'],
  ])
})
