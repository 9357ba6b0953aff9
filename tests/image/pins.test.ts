import { readFileSync } from 'node:fs'
import test from 'ava'
import { parseComponent, renderComponent } from '../../image/component.ts'
import { readPins } from '../../image/pins.ts'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the Node of the image is the one that everything here was tested on', (t) => {
  const { devDependencies } = JSON.parse(read('package.json')) as {
    devDependencies: { node: string }
  }
  t.is(readPins().node.version, devDependencies.node)
})

test('packages of one source come from one release of it', (t) => {
  const { debian } = readPins()
  const gcc = debian.filter(({ pool }) => pool.includes('/gcc-12/'))
  t.is(gcc.length, 3)
  t.is(new Set(gcc.map(({ version }) => version)).size, 1)
})

test('no package is taken without its terms', (t) => {
  const { debian } = readPins()
  const taken = debian.flatMap(({ files }) => files)
  for (const { package: name } of debian)
    t.true(taken.some((path) => path.startsWith(`usr/share/doc/${name}`)))
})

test('the component of images is as npm run image writes it', (t) => {
  const text = read('manifests/components/images/kustomization.yaml')
  const images = parseComponent(text)
  t.is(renderComponent(images), text)
  t.deepEqual(
    images.map(({ name }) => name),
    ['nats-server', 'functions'],
  )
  for (const { digest } of images) t.regex(digest, /^sha256:[0-9a-f]{64}$/)
})

for (const text of ['', 'kind: Component\n', 'images: [{ name: a }]\n', 'images: [{ name: a\n'])
  test(`a component like ${JSON.stringify(text)} is refused`, (t) => {
    t.throws(() => parseComponent(text), {
      code: 'ERR_IMAGE_COMPONENT',
      message: "no kustomize component of images: 'manifests/components/images/kustomization.yaml'",
    })
  })
