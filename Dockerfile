# The images for those who have Docker; npm run image makes them without it, the same on every machine
# (docs/adr/0012-images.md). No shell, no package manager, nothing written at run time: run them with a
# read-only root. Keys and public files are mounted, see functions/provisioning/environment.ts for what a
# process is told.
#
#   docker build --target nats-server --build-arg GO=golang:1.26.8-bookworm@sha256:… .
#   docker build --target functions --build-arg BUILD=node:24-bookworm-slim@sha256:… \
#                --build-arg BASE=gcr.io/distroless/nodejs24-debian12:nonroot@sha256:… .
#
# Base images are arguments that stand for an empty one, so that nobody builds on a tag that moved: name
# digests that you have checked.
ARG GO=scratch
ARG BUILD=scratch
ARG BASE=scratch

FROM ${GO} AS build-server
ARG GO
RUN case "$GO" in \
      *@sha256:*) ;; \
      *) echo 'name GO by its digest' >&2; exit 1 ;; \
    esac
WORKDIR /src
COPY tools/nats-server ./
# As image/build-server.ts builds it: static, with the toolchain that go.mod names, and no path or time of
# the machine in it.
ENV CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 GOFIPS140=off GOFLAGS="" GOWORK=off
RUN go mod verify \
 && GOTOOLCHAIN="$(sed -n 's/^toolchain //p' go.mod)" go build -mod=readonly -trimpath \
      -buildvcs=false -ldflags='-s -w -buildid=' -o /out/nats-server github.com/nats-io/nats-server/v2

FROM scratch AS nats-server
COPY --from=build-server /out/nats-server /usr/local/bin/nats-server
# By number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
ENV PATH=/usr/local/bin
# Lame duck mode: clients are told to move before their connections end.
STOPSIGNAL SIGUSR2
ENTRYPOINT ["/usr/local/bin/nats-server"]

FROM ${BUILD} AS build-functions
ARG BUILD
ARG BASE
RUN case "$BUILD $BASE" in \
      *@sha256:*\ *@sha256:*) ;; \
      *) echo 'name BUILD and BASE by their digests' >&2; exit 1 ;; \
    esac
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No script of a package runs, and nothing comes that the lock has no checksum of: the Node is that of
# the image, not the one that the npm package `node` fetches (docs/adr/0002-node-24.md).
RUN npm ci --omit=dev --ignore-scripts --no-fund --no-audit
COPY . .
RUN node scripts/bundle-function.ts --out-dir /out

FROM ${BASE} AS functions
COPY --from=build-functions /out /app
USER 65532:65532
ENV NODE_ENV=production
# Garbage is collected before it amounts to 100 MB (laptop/functions.ts, docs/benchmarks.md).
ENV NODE_OPTIONS="--max-semi-space-size=2 --max-old-space-size=48" MALLOC_ARENA_MAX=1
# SIGTERM drains: what was asked is still answered.
STOPSIGNAL SIGTERM
# Whoever runs it asks /healthz; a check in here would start a second Node each time.
HEALTHCHECK NONE
CMD ["/app/provision-credentials.cjs"]
