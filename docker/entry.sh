#!/bin/bash
# Where every run of the toolbox begins: gives the caller's uid a name and a home, trusts the caller's
# CAs, takes secrets from stdin, then runs a known tool, or Packer with the arguments as they are.
set -euo pipefail

# A uid without a passwd entry has no name, and ssh refuses it.
if ! getent passwd "$(id -u)" > /dev/null; then
  echo "caller:x:$(id -u):$(id -g):Caller:/tmp/home:/bin/bash" >> /etc/passwd
fi
if [[ ! -w ${HOME:-/} || ${HOME:-/} == / ]]; then
  HOME=$(mktemp -d /tmp/home-XXXXXX)
  export HOME
fi

# Mounted read-only; the image stays the same for everyone.
shopt -s nullglob
extra=(/run/extra-ca/*.crt /run/extra-ca/*.pem)
if ((${#extra[@]})); then
  bundle=$(mktemp /tmp/ca-XXXXXX)
  # awk ends each file with a newline, which certificates made on other systems lack.
  awk 1 /etc/ssl/certs/ca-certificates.crt "${extra[@]}" > "$bundle"
  export SSL_CERT_FILE=$bundle REQUESTS_CA_BUNDLE=$bundle CURL_CA_BUNDLE=$bundle PIP_CERT=$bundle
  echo "ca_certificate = $bundle" > "$bundle.wgetrc"
  export WGETRC=$bundle.wgetrc
fi

# NUL-separated NAME=VALUE up to the end of stdin: neither 'docker inspect' nor an argv shows them.
if [[ ${GOLDSMITH_SECRETS:-} == stdin ]]; then
  unset GOLDSMITH_SECRETS
  while IFS= read -r -d '' pair; do
    if [[ ! $pair =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; then
      echo 'goldsmith-entry: a secret on stdin has no name' >&2
      exit 2
    fi
    export "${pair?}"
  done
  exec < /dev/null
fi

case ${1:-} in
  packer | govc | ansible | ansible-[a-z]* | xorriso | osirrox | mcopy | mdir | mformat | mmd | mtype | \
    jq | curl | wget | openssl | ssh | ssh-keygen | ssh-keyscan | scp | sftp | python3 | sh | bash) exec "$@" ;;
  *) exec packer "$@" ;;
esac
