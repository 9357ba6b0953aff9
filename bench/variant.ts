// The function as it is, and without one of its parts: what a part costs is the difference.
import { fileURLToPath } from 'node:url'
import type { AccessDoor } from '../core/network/access-subject.ts'
import { bundleFunction } from '../laptop/bundle.ts'

export interface Variant {
  readonly name: 'without-decision' | 'legacy' | 'without-seal' | 'whole'
  readonly what: string
  readonly door: AccessDoor
  /** Has an entry in variants/; the others are the function itself. */
  readonly isExchanged?: true
}
export type VariantName = Variant['name']

export const variants: readonly Variant[] = [
  { name: 'without-decision', what: 'service loop alone', door: 'lobby', isExchanged: true },
  { name: 'legacy', what: 'no proof, no seal (door legacy)', door: 'legacy' },
  { name: 'without-seal', what: 'with proof', door: 'lobby', isExchanged: true },
  { name: 'whole', what: 'with proof and seal', door: 'lobby' },
]

export async function bundleVariant(
  { name, isExchanged }: Variant,
  outfile: string,
): Promise<void> {
  const entry = fileURLToPath(new URL(`variants/${name}.ts`, import.meta.url))
  await (isExchanged ? bundleFunction(outfile, entry) : bundleFunction(outfile))
}
