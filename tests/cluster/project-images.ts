// The project's own images, as the nodes of a lab import them.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { componentFile, parseComponent, repositoryOf } from '../../image/component.ts'
import { makeImages } from '../../image/make-images.ts'
import { openWorkshop } from '../../image/workshop.ts'
import { writeArchive, type WrittenImage } from '../../image/write-archive.ts'

const component = fileURLToPath(new URL(`../../${componentFile}`, import.meta.url))

/**
 * Made of the sources as they are now, under the names that the committed component gives them. What
 * overlays have to say of them is `renderComponent` of the result.
 */
export async function makeProjectImages(
  folder: string,
  report: (line: string) => void,
): Promise<WrittenImage[]> {
  const known = parseComponent(readFileSync(component, 'utf8'))
  const images = await makeImages(openWorkshop({ environment: process.env, report }))
  const written: WrittenImage[] = []
  for (const image of images) {
    const repository = repositoryOf(image.name, known)
    written.push(await writeArchive(image, { repository, folder }))
  }
  return written
}
