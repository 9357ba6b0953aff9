import { makeFunctionsImage } from './make-functions.ts'
import { makeServerImage } from './make-server.ts'
import type { OciImage } from './oci-image.ts'
import { readPins } from './pins.ts'
import type { Workshop } from './workshop.ts'

/** The images of this repository. Equal sources give equal digests on every machine. */
export async function makeImages(workshop: Workshop): Promise<OciImage[]> {
  const pins = readPins()
  return [await makeServerImage(pins.platform, workshop), await makeFunctionsImage(pins, workshop)]
}
