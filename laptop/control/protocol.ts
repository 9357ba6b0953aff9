// What a running network is asked over its control socket, a line of JSON each: one request, then
// any number of progress lines, then one result or one refusal.
import * as z from 'zod'
import { authorityKinds } from '../../core/identity/authority.ts'
import { parseJson } from '../../core/parse-json.ts'

const plan = z.strictObject({
  do: z.literal('plan'),
  /** An absolute path: the two sides may be in different folders. */
  archipelagoFile: z.string().min(1),
})
const apply = plan.extend({
  do: z.literal('apply'),
  /** Digest of the plan that somebody agreed to. */
  agreed: z.string().length(64).optional(),
})
/** Takes out what the deny list on disk has withdrawn, and back in what was reinstated. */
const follow = z.strictObject({ do: z.literal('follow') })
const roll = z.strictObject({
  do: z.literal('roll'),
  kind: z.enum(authorityKinds),
  region: z.string().min(1).optional(),
  isOnlyPublished: z.boolean().optional(),
})
const restartLinks = z.strictObject({
  do: z.literal('restart-links'),
  /** Servers that get a new key, for somebody else may have the old one. */
  newKeys: z.array(z.string().min(1)),
})
const request = z.discriminatedUnion('do', [plan, apply, follow, roll, restartLinks])

export type ControlRequest = z.infer<typeof request>

export type ControlMessage =
  | { readonly line: string }
  | { readonly result: unknown }
  | { readonly refusal: { readonly code: string; readonly message: string } }

export const requestBytesMax = 4096

/** Refuses what is not exactly a request. */
export function parseControlRequest(text: string): ControlRequest {
  return parseJson(text, request, { what: 'control request', code: 'ERR_CONTROL_ILLEGAL' })
}

export function formatControlLine(message: ControlMessage | ControlRequest): string {
  return `${JSON.stringify(message)}\n`
}
