# The lab's vCenter: one static program, what guests are started and installed with, and the package
# repository, from the files that docker/lock.json names. No base image, and no RUN has network.

FROM scratch AS go
ADD go.tar /usr/local/go
ENV CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOTOOLCHAIN=local GOPROXY=file:///in/goproxy GOSUMDB=off \
    GOFLAGS="-mod=readonly -trimpath -buildvcs=false" GOMODCACHE=/cache/mod GOCACHE=/cache/build GOTELEMETRY=off HOME=/tmp

FROM go AS labd
RUN --network=none --mount=type=tmpfs,target=/tmp \
    --mount=type=bind,source=goproxy,target=/in/goproxy --mount=type=bind,source=vcenter,target=/in/src \
    --mount=type=cache,id=goldsmith-gomod,target=/cache/mod --mount=type=cache,id=goldsmith-gobuild,target=/cache/build \
    ["/usr/local/go/bin/go", "build", "-C", "/in/src", "-ldflags", "-s -w", "-o", "/labd", "."]

# The checks of its code, which need nothing but the toolchain: 'docker build --target lab-check'.
FROM go AS lab-vet
RUN --network=none --mount=type=tmpfs,target=/tmp \
    --mount=type=bind,source=goproxy,target=/in/goproxy --mount=type=bind,source=vcenter,target=/in/src \
    --mount=type=cache,id=goldsmith-gomod,target=/cache/mod --mount=type=cache,id=goldsmith-gobuild,target=/cache/build \
    ["/usr/local/go/bin/go", "-C", "/in/src", "vet", "./..."]
FROM lab-vet AS lab-check
RUN --network=none --mount=type=tmpfs,target=/tmp \
    --mount=type=bind,source=goproxy,target=/in/goproxy --mount=type=bind,source=vcenter,target=/in/src \
    --mount=type=cache,id=goldsmith-gomod,target=/cache/mod --mount=type=cache,id=goldsmith-gobuild,target=/cache/build \
    ["/usr/local/go/bin/go", "-C", "/in/src", "test", "./..."]

FROM scratch AS lab-vcenter
COPY --from=labd /labd /labd
COPY share /share
COPY mirror /mirror
ARG GOLDSMITH_HASH
LABEL goldsmith=1 goldsmith.image=lab-vcenter goldsmith.hash=$GOLDSMITH_HASH
ENTRYPOINT ["/labd"]
CMD ["serve"]
