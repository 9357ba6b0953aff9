import test from 'ava'
import { isVersionAtLeast } from '../../../core/network/version.ts'

for (const [version, holds] of [
  ['2.14.5', true],
  ['v2.14.5', true],
  ['2.14.6', true],
  ['2.15.0', true],
  ['3.0.0', true],
  ['10.0.0', true],
  ['2.14.4', false],
  ['2.9.10', false],
  ['1.99.99', false],
  ['2.15.0-dev', false],
  ['2.14', false],
  ['', false],
  ['latest', false],
] as const) {
  test(`'${version}' is ${holds ? '' : 'not '}at least 2.14.5`, (t) =>
    t.is(isVersionAtLeast(version, '2.14.5'), holds))
}
