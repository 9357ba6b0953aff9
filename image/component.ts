// The kustomize component that says which images run: what overlays know of them, and all they know.
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'

export const componentFile = 'manifests/components/images/kustomization.yaml'

// A name that nobody can serve (RFC 2606): as cloned, images are imported, or pushed somewhere first.
const nowhere = 'archipelago.invalid'

export interface NamedImage {
  /** What manifests call it. */
  readonly name: string
  /** Where it is got from: a registry and a path. */
  readonly repository: string
  readonly digest: string
}

const component = z.object({
  images: z.array(z.object({ name: z.string(), newName: z.string(), digest: z.string() })),
})

export function renderComponent(images: readonly NamedImage[]): string {
  const lines = images.map(
    ({ name, repository, digest }) =>
      `  - name: ${name}\n    newName: ${repository}\n    digest: ${digest}\n`,
  )
  return `# yaml-language-server: $schema=https://json.schemastore.org/kustomization.json
# Made by npm run image, from tools/nats-server, tools/image, package-lock.json and our sources.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
${lines.join('')}`
}

/** Refuses what is not one: from where pods get their images is not guessed. */
export function parseComponent(text: string): NamedImage[] {
  const { success, data } = component.safeParse(parseDocument(text).toJS())
  if (!success) {
    const what = `no kustomize component of images: ${quote(componentFile)}`
    throw new Refusal('ERR_IMAGE_COMPONENT', what)
  }
  return data.images.map(({ newName, ...image }) => ({ ...image, repository: newName }))
}

/** Where an image is got from: as it stands in the component, until it is pushed elsewhere. */
export function repositoryOf(name: string, known: readonly NamedImage[]): string {
  return known.find((image) => image.name === name)?.repository ?? `${nowhere}/${name}`
}
