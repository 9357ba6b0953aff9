import { composeImage, type ImageRecipe, type OciImage } from '../../image/oci-image.ts'
import { textFile } from '../../image/user-files.ts'

/** Of one file in one layer, but for what a test makes otherwise. */
export const smallImage = (change: Partial<ImageRecipe> = {}): OciImage =>
  composeImage({
    name: 'small',
    version: '1.2.3',
    description: 'nothing much',
    licences: 'Apache-2.0',
    platform: { os: 'linux', architecture: 'amd64' },
    layers: [[textFile('a', 'content')]],
    entrypoint: ['/a'],
    parts: [],
    stopSignal: 'SIGTERM',
    ...change,
  })
