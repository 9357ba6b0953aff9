import * as z from 'zod'
import { archipelagoSchema } from './schema.ts'

/** The JSON schema (draft 7, which editors know best) of archipelago.yaml as it is written. */
export function renderJsonSchema() {
  return z.toJSONSchema(archipelagoSchema, { io: 'input', target: 'draft-07' })
}
