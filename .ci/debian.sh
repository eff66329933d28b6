# Functions for what is tried in a bare Debian: a folder with nothing in it but the packages of $PACKAGES.
# Read by .ci/bare and .ci/packages, which set SELF and PACKAGES, define `attempt`, and then call `debian`.
#
# Packages come from where this machine gets its own: the mirror of apt's configuration, and pip's configuration with
# the files that it names. Needs root and debootstrap. Where that is missing one line says so; with CI set that is a
# failure. RELEASE=bookworm is another release of Debian.
# shellcheck shell=bash

RELEASE="${RELEASE:-trixie}"
TESTER=tester
DEVICES="null zero full random urandom tty"

give_up() {
  echo "$SELF: $1" >&2
  case "${CI:-}" in true | 1) exit 1 ;; *) exit 0 ;; esac
}

become_root() {
  [ "$(uname -s)" = Linux ] || give_up "a bare Debian can be made on Linux alone"
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || give_up "making a folder with a bare Debian needs root or sudo"
  exec sudo --preserve-env bash "$SELF"
}

# The work is done by this program again, in namespaces of its own where they are allowed: then no mount and no
# process outlives it, whatever becomes of it. Inside a container they may be forbidden; then the mounts are undone
# one by one.
supervise() {
  FOLDER="$(mktemp -d "${TMPDIR:-/tmp}/twilio-notifications-bare.XXXXXX")"
  trap 'rm -rf --one-file-system "$FOLDER"' EXIT
  trap 'end_work; exit 130' INT
  trap 'end_work; exit 143' TERM HUP
  local kind chosen=
  for kind in "unshare --mount --pid --fork --kill-child" "unshare --mount"; do
    if $kind true 2>/dev/null; then
      chosen="$kind"
      break
    fi
  done
  BARE_FOLDER="$FOLDER" $chosen bash "$SELF" &
  WORK=$!
  wait "$WORK"
}

end_work() {
  kill -TERM "$WORK" 2>/dev/null || true
  # unshare keeps SIGTERM from itself and its child; with its end its child ends, and with that all others.
  [ "$(cat "/proc/$WORK/comm" 2>/dev/null)" != unshare ] || kill -KILL "$WORK"
  wait "$WORK" 2>/dev/null || true
}

debian_mirror() {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sed -n 1p
}

find_mirror() {
  MIRROR="$(debian_mirror)"
  if [ -z "$MIRROR" ]; then # without lists, apt does not know whose mirror it is
    apt-get update -qq || true
    MIRROR="$(debian_mirror)"
  fi
  [ -n "$MIRROR" ] || give_up "apt on this machine has no mirror of Debian"
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy="${http_proxy:-$proxy}"
}

mounted_here() {
  mount "$@" 2>/dev/null && MOUNTED=("${*: -1}" "${MOUNTED[@]}")
}

unmount_all() {
  local place
  for place in "${MOUNTED[@]}"; do
    umount "$place" 2>/dev/null || umount --lazy "$place" || true
  done
}

bootstrap() {
  echo "Debian $RELEASE is fetched (log: $FOLDER/debootstrap.log)"
  if ! debootstrap --variant=minbase --include="$PACKAGES" "$RELEASE" "$ROOT" "$MIRROR" >"$FOLDER/debootstrap.log" 2>&1; then
    tail -n 20 "$FOLDER/debootstrap.log" >&2
    give_up "debootstrap could not make a Debian $RELEASE; the lines above say why"
  fi
  chroot "$ROOT" useradd --create-home --shell /bin/sh "$TESTER"
  cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$ROOT/etc/hosts"
}

mount_system() {
  mounted_here -t proc proc "$ROOT/proc" || mounted_here --rbind /proc "$ROOT/proc" ||
    give_up "/proc cannot be mounted in a folder here"
  mounted_here -t tmpfs -o mode=755 dev "$ROOT/dev" || give_up "/dev cannot be mounted in a folder here"
  local device
  for device in $DEVICES; do
    : >"$ROOT/dev/$device"
    mounted_here --bind "/dev/$device" "$ROOT/dev/$device" || give_up "/dev/$device cannot be mounted in a folder here"
  done
  mkdir -m 1777 "$ROOT/dev/shm"
  mkdir "$ROOT/dev/pts"
  mounted_here -t devpts -o newinstance,ptmxmode=0666 devpts "$ROOT/dev/pts" || mounted_here --bind /dev/pts "$ROOT/dev/pts" ||
    give_up "/dev/pts cannot be mounted in a folder here"
  ln -s pts/ptmx "$ROOT/dev/ptmx"
  ln -s /proc/self/fd "$ROOT/dev/fd"
}

# pip's configuration of this machine, with every local file and folder that it names at the same place.
bring_pip_configuration() {
  python3 -m pip config list 2>/dev/null >"$FOLDER/pip-configuration" || : >"$FOLDER/pip-configuration"
  python3 - "$FOLDER/pip-configuration" "$ROOT/etc/pip.conf" >"$FOLDER/pip-files" <<'PYTHON'
import ast, pathlib, re, sys, urllib.parse

sections = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    name, _, value = line.partition("=")
    section, _, key = name.rpartition(".")
    sections.setdefault(section.replace(":env:", "global"), {})[key] = ast.literal_eval(value)
written = ""
for section, values in sections.items():
    written += f"[{section}]\n"
    for key, value in values.items():
        words = value.split()
        written += f"{key} = " + "\n  ".join(words) + "\n"
        for word in words:
            path = urllib.parse.urlsplit(word).path if word.startswith("file://") else word
            # The folder of a local index holds links into its neighbours.
            place = pathlib.Path(path).parent if word.startswith("file://") else pathlib.Path(path)
            if path.startswith("/") and place.exists():
                print(place)
pathlib.Path(sys.argv[2]).write_text(written)
PYTHON
  local path
  while read -r path; do
    if [ -d "$path" ]; then
      mkdir -p "$ROOT$path"
    else
      mkdir -p "$ROOT$(dirname "$path")" && : >>"$ROOT$path"
    fi
    mounted_here --bind "$path" "$ROOT$path" && mount -o remount,bind,ro "$ROOT$path" 2>/dev/null || true
  done < <(sort -u "$FOLDER/pip-files")
}

# A proxy may be the only way to the packages; nothing else of this environment is passed on, CI neither: without
# brokers there, their tests are skipped.
as_tester() {
  local passed=() name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || passed+=("$name=${!name}")
  done
  chroot --userspec="$TESTER:$TESTER" "$ROOT" /usr/bin/env -i "${passed[@]}" HOME="/home/$TESTER" USER="$TESTER" \
    PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 sh -euc "$1" sh "${@:2}"
}

as_root_there() {
  chroot "$ROOT" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 sh -euc "$1" sh "${@:2}"
}

work() {
  FOLDER="$BARE_FOLDER"
  ROOT="$FOLDER/root"
  MOUNTED=()
  trap unmount_all EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  find_mirror
  bootstrap
  mount_system
  bring_pip_configuration
  git -c safe.directory="$PWD" bundle create --quiet "$ROOT/home/$TESTER/repository" HEAD
  as_tester 'git clone --quiet ~/repository ~/twilio-notifications'
  attempt
}

debian() {
  if [ -n "${BARE_FOLDER:-}" ]; then
    work
  else
    become_root
    command -v debootstrap >/dev/null || give_up "debootstrap is not installed; install it: apt install debootstrap"
    supervise
  fi
}
