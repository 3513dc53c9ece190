# A static program in an empty image, as a user without rights.
#   docker build -t lockstep .
#   docker run --rm -v lockstep:/data lockstep node init --chain-id town
#   docker run -v lockstep:/data -p 127.0.0.1:8645:8645 lockstep
# In the container the API listens on all addresses, and -p decides who reaches it. Submitting needs the token in the volume:
# docs/how-to/run-a-node.md.
ARG GO_VERSION=1.26
FROM golang:${GO_VERSION} AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY stubs stubs
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /lockstep ./cmd/lockstep
RUN mkdir -p -m 0700 /root-of-image/data && mkdir -m 1777 /root-of-image/tmp

FROM scratch
COPY --from=build --chown=65532:65532 /root-of-image/ /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/LICENSE /src/LICENSES.txt /src/NOTICE /licences/
COPY --from=build /lockstep /lockstep
USER 65532:65532
ENV LOCKSTEP_HOME=/data
VOLUME /data
ENTRYPOINT ["/lockstep"]
CMD ["node", "start", "--api", "0.0.0.0:8645", "--plain-http"]
