/** The bytes of a text in base64url, undefined where it is not their one spelling: Node reads many leniently. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
