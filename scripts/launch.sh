# shellcheck shell=sh
# Read by ./inv and ./nox, which set $here: enters the environment .venv, and makes it first when it
# does not fit requirements.txt. The way through when it fits starts one process (cmp), no Python.

unset CDPATH PYTHONHOME PYTHONPATH # foreign modules or a foreign home would shadow the locked ones
umask go-w                         # in addition to what the caller forbids: what others can change, they decide
# shellcheck disable=SC2154 # set by whoever reads this
root=$(cd -P -- "$here" && pwd && echo /) # the shell cuts newlines off an end
root=${root%??}

# Python makes no environment in a folder with a colon, and a newline ends what the stamp below holds.
newline='
'
case $root in
    *:* | *"$newline"*)
        printf '%s\n' >&2 \
            "what:  goldsmith cannot work in a folder of this name" \
            "where: $root" \
            "why:   a colon or a newline in a path separates it from the next one" \
            "next:  rename the folder, or move the checkout to another one; blanks and quotes do no harm"
        exit 2
        ;;
esac

# The stamp is written last, and names the folder because scripts in a venv hold absolute paths.
is_ready() {
    stamp=$root/.venv/goldsmith-stamp
    [ -r "$stamp" ] && IFS= read -r made_in <"$stamp" && [ "$made_in" = "$root" ] || return 1
    [ -x "$root/.venv/bin/python" ] || return 1 # its Python was upgraded or removed
    cmp -s "$root/requirements.txt" "$root/.venv/goldsmith-requirements.txt"
}

# Runs what it finds instead of trusting a name: a pyenv shim stands on PATH for versions that are not active.
is_python() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -I -c "import sys; sys.exit(sys.version_info < (3, 11)); $2" >/dev/null 2>&1 </dev/null
}

find_python() {
    for needs in 'import ensurepip, venv' 'pass'; do # one that can make a venv is preferred
        for python in python3.14 python3.13 python3.12 python3.11 python3; do
            if is_python "$python" "$needs"; then return; fi
        done
    done
    # printf is part of the shell; where PATH leads nowhere, cat would be missing as well.
    printf '%s\n' >&2 \
        "what:  no Python 3.11 or newer was found" \
        "where: PATH=$PATH" \
        "why:   goldsmith runs on Python 3.11 or newer; tried python3.14 to python3.11, and python3" \
        "next:  install it (Debian, Ubuntu: apt-get install python3 python3-venv), or put it on PATH"
    exit 2
}

if ! is_ready; then
    find_python
    "$python" -I "$root/scripts/bootstrap.py"
fi

# What activating does, so that checks find the locked tools by name.
VIRTUAL_ENV=$root/.venv
PATH=$VIRTUAL_ENV/bin:$PATH
export VIRTUAL_ENV PATH
