import type * as z from 'zod'
import { Refusal, type RefusalCode } from './errors.ts'

/** Text that is JSON of exactly this shape; refuses any other by naming the first place that is wrong. */
export function parseJson<T>(
  text: string,
  shape: z.ZodType<T>,
  { what, code }: { readonly what: string; readonly code: RefusalCode },
): T {
  const illegal = (reason: string) => new Refusal(code, `illegal ${what}: ${reason}`)
  const { data, error } = shape.safeParse(readJson(text, illegal))
  if (error === undefined) return data
  const [issue] = error.issues
  const where = issue?.path.join('.') ?? ''
  throw illegal(where === '' ? `${issue?.message}` : `${where}: ${issue?.message}`)
}

function readJson(text: string, illegal: (reason: string) => Refusal): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without its cause: that repeats a piece of the text, which may be a secret.
    throw illegal('not JSON')
  }
}
