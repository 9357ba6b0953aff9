// An image by the OCI image specification 1.1: layers, the configuration of its processes, a manifest.
import { describeBlob, makeBlob, makeJsonBlob, type ImageBlob } from './blob.ts'
import type { Part } from './part.ts'
import { packEntries, type Entry } from './tar.ts'

export interface OciImage {
  readonly name: string
  readonly version: string
  readonly manifest: ImageBlob
  /** What the manifest names: the configuration, then the layers. */
  readonly blobs: readonly ImageBlob[]
  /** What of others is in it. */
  readonly parts: readonly Part[]
}

export interface ImageRecipe {
  readonly name: string
  readonly version: string
  readonly description: string
  /** An SPDX expression for what the image is about. */
  readonly licences: string
  readonly platform: { readonly os: string; readonly architecture: string }
  /** What changes seldom comes first: a layer that a node has is not sent again. */
  readonly layers: readonly (readonly Entry[])[]
  readonly parts: readonly Part[]
  readonly entrypoint: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
  readonly stopSignal: string
}

// A user by number, so that Kubernetes can check runAsNonRoot: the `nonroot` of other minimal images.
export const nonRoot = 65_532

const created = '1970-01-01T00:00:00Z'
const oci = 'application/vnd.oci.image'

export function composeImage(recipe: ImageRecipe): OciImage {
  const { name, version, parts } = recipe
  // Not compressed: what zlib makes of the same bytes differs between its versions.
  const layers = recipe.layers.map((entries) =>
    makeBlob(`${oci}.layer.v1.tar`, packEntries(entries)),
  )
  const config = makeJsonBlob(`${oci}.config.v1+json`, configOf(recipe, layers))
  const manifest = makeJsonBlob(`${oci}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: describeBlob(config),
    layers: layers.map(describeBlob),
    annotations: annotationsOf(recipe),
  })
  return { name, version, manifest, blobs: [config, ...layers], parts }
}

function configOf(recipe: ImageRecipe, layers: readonly ImageBlob[]): object {
  const { platform, entrypoint, command, environment, stopSignal } = recipe
  return {
    created,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      User: `${nonRoot}:${nonRoot}`,
      Env: ['PATH=/usr/local/bin', ...(environment ?? [])],
      Entrypoint: entrypoint,
      ...(command && { Cmd: command }),
      WorkingDir: '/',
      Labels: annotationsOf(recipe),
      StopSignal: stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created, created_by: 'npm run image' })),
  }
}

function annotationsOf({ name, version, description, licences }: ImageRecipe): object {
  const prefix = 'org.opencontainers.image'
  return {
    [`${prefix}.title`]: name,
    [`${prefix}.version`]: version,
    [`${prefix}.description`]: description,
    [`${prefix}.licenses`]: licences,
  }
}
