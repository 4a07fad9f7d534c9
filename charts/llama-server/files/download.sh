#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later

# Brings the files of a list onto a volume: goes on where it stopped, checks what came, and does nothing where that was done.
# Needs sh, curl, flock and what coreutils and sed have; neither root nor a root that can be written to.
#
#   MODELS            the directory of the volume
#   LIST              a line for each file: name, URL, size and SHA-256, apart by tabs, - where it isn't known
#   ALLOW_UNVERIFIED  yes: take a file whose checksum neither the list nor the server tell
#   TOKEN_FILE        a file with a token of the model's hub
#   TOKEN_HOST        the only host that is shown it
#   PROGRESS_SECONDS  from one line of progress to the next
#   RETRIES           attempts in a row in which nothing comes
#
# Beside NAME: NAME.partial is what came so far, .NAME.source what that is a part of, .NAME.verified what NAME was when it was checked.
# What came and is wrong is NAME.corrupt; where it came whole, .NAME.refused says what it should have been.

set -eu
umask 002

MODELS=${MODELS%/}
PROGRESS_SECONDS=${PROGRESS_SECONDS:-15}
RETRIES=${RETRIES:-8}
REFUSED_SECONDS=21600
TAB=$(printf '\t')
work=$(mktemp -d)
child=
exec 5>&1

say() { printf '%s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

leave() {
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  rm -rf "$work"
}

trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

size_of() { if [ -f "$1" ]; then stat -c %s "$1"; else echo 0; fi; }

mib() { echo "$((($1 + 1048575) / 1048576)) MiB"; }

# run PROGRESS COMMAND…: beside this shell, which so answers signals, with file 3 for its input, and a line of PROGRESS to file 5 now and then.
run() {
  progress=$1 seconds=0 status=0
  shift
  "$@" <&3 3<&- 5>&- 9>&- &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % PROGRESS_SECONDS)) -ne 0 ] || "$progress" >&5
  done
  wait "$child" || status=$?
  child=
  return "$status"
}

# --- one line of the list -------------------------------------------------------------------------------------------------------------

# Sets the variables that all below read.
take_line() {
  name=$1 url=$2 size=$3 sha256=$4
  case /$name/ in
    *[[:cntrl:]]* | *\\* | *//* | */./* | */../*) die "'$name' is not the name of a file on the volume: neither absolute, nor with . or .. in it" ;;
  esac
  case $url in
    http://* | https://*) ;;
    *) die "$name: '$url' is not the URL of a file" ;;
  esac
  case $size in
    -) ;;
    '' | *[!0-9]*) die "$name: '$size' is not a size" ;;
  esac
  case $sha256 in
    -) ;;
    *[!0-9a-f]*) die "$name: '$sha256' is not a SHA-256 checksum" ;;
    *) [ ${#sha256} -eq 64 ] || die "$name: '$sha256' is not a SHA-256 checksum" ;;
  esac
  server=${url#*://} server=${server%%[/?#]*}
  case $server in
    '' | *@*) die "$name: the URL has no host, or a password in it: a token belongs into a Secret" ;;
  esac
  source=${url%%[?#]*}
  file=$MODELS/$name
  hidden=$(dirname "$file")/.$(basename "$file")
  partial=$file.partial origin=$hidden.source marker=$hidden.verified refused=$hidden.refused
}

is_done() {
  if [ ! -f "$file" ] || [ ! -f "$marker" ]; then return 1; fi
  read -r was_sha256 was_size was_source <"$marker" || return 1
  [ "$was_size" = "$(size_of "$file")" ] || return 1
  [ "$size" = - ] || [ "$size" = "$was_size" ] || return 1
  if [ "$sha256" = - ]; then [ "$was_source" = "$source" ]; else [ "$was_sha256" = "$sha256" ]; fi
}

# for_each COMMAND: with each line taken.
for_each() {
  while IFS=$TAB read -r one two three four <&4 || [ -n "$one" ]; do
    [ -n "$one" ] || continue
    take_line "$one" "$two" "$three" "$four"
    "$1"
  done 4<"$LIST"
}

# --- the server -----------------------------------------------------------------------------------------------------------------------

# The headers of a request, which are given to curl as a file: arguments can be read by others.
headers() {
  echo 'Accept: */*'
  [ -n "${TOKEN_FILE:-}" ] && [ "${server%:*}" = "$TOKEN_HOST" ] || return 0
  case $url in
    https://* | http://127.0.0.1[:/]* | http://localhost[:/]*) ;;
    *) return 0 ;;
  esac
  token=$(cat "$TOKEN_FILE")
  case $token in
    '' | *[[:space:]]*) die "the token in its Secret is empty or has blanks in it" ;;
  esac
  echo "Authorization: Bearer $token"
}

# In a subshell of its own, which it becomes. On to another host curl takes no Authorization along.
ask() {
  case $url in https://*) onwards='=https' ;; *) onwards='=http,https' ;; esac
  exec curl --silent --show-error --globoff --proto '=http,https' --proto-redir "$onwards" --connect-timeout 30 --header @- "$@"
}

# Sets sha256 and size as far as the list leaves them open and the server tells: the hub itself, not the host it sends the download to.
ask_about() {
  if [ "$sha256" != - ] && [ "$size" != - ]; then return 0; fi
  at=$url hops=0 attempt=1
  while [ "$hops" -lt 5 ]; do
    sent=$(headers)
    if ! answer=$(ask --head --max-time 60 --write-out 'answer-code: %{http_code}\nanswer-redirect: %{redirect_url}\n' "$at" 9>&- <<EOF
$sent
EOF
    ); then
      [ "$attempt" -lt "$RETRIES" ] || die "$name: $server doesn't answer"
      sleep "$attempt"
      attempt=$((attempt + 1))
      continue
    fi
    code=$(told answer-code)
    told_etag=$(told x-linked-etag)
    told_size=$(told x-linked-size)
    next=$(told answer-redirect)
    if [ -n "$told_etag" ] || [ -z "$next" ]; then break; fi
    case $next in "${url%%://*}://$server"/*) at=$next hops=$((hops + 1)) ;; *) break ;; esac
  done
  case $code in
    401 | 403 | 404 | 410) answered "$code" ;;
    200) [ -n "$told_size" ] || told_size=$(told content-length) ;;
  esac
  told_etag=${told_etag#\"}
  told_etag=${told_etag%\"}
  case $told_etag in *[!0-9a-f]*) told_etag= ;; esac
  if [ "$sha256" = - ] && [ ${#told_etag} -eq 64 ]; then sha256=$told_etag; fi
  case $told_size in '' | *[!0-9]*) told_size= ;; esac
  if [ "$size" = - ] && [ -n "$told_size" ]; then size=$told_size; fi
}

# The last header of a name.
told() { printf '%s\n' "$answer" | tr -d '\r' | sed -n "s/^$1: *//Ip" | tail -n 1; }

# An answer that another attempt won't change.
answered() {
  case $1 in
    401 | 403) die "$name: $server answers $1 to $source. It needs a token, or this one has no right to it: model.download.tokenSecret" ;;
    *) die "$name: $server answers $1 to $source" ;;
  esac
}

# --- the file -------------------------------------------------------------------------------------------------------------------------

check_space() {
  free=$(df -Pk "$MODELS" | tail -n 1 | { read -r _ _ _ kib _ && echo "$((kib * 1024))"; })
  [ "$2" -le "$free" ] || die "$1: $(mib "$2") are missing, and the volume has $(mib "$free") free. Make it larger: model.claim.size"
}

report_transfer() {
  if [ "$size" = - ]; then say "$name: $(mib "$(size_of "$partial")")"; else say "$name: $(mib "$(size_of "$partial")") of $(mib "$size")"; fi
}

report_check() { say "$name: still checking"; }

# Fills NAME.partial.
transfer() {
  attempts=0
  while :; do
    had=$(size_of "$partial") result=0
    if [ "$size" != - ] && [ "$had" -eq "$size" ]; then return 0; fi
    sent=$(headers)
    run report_transfer ask --fail --location --max-redirs 10 --speed-limit 1000 --speed-time 60 --write-out '%{http_code}' \
      --continue-at - --output "$partial" "$url" >"$work/code" 3<<EOF || result=$?
$sent
EOF
    code=$(cat "$work/code")
    has=$(size_of "$partial")
    case $result in
      0) if [ "$size" = - ] || [ "$has" -ge "$size" ]; then return 0; fi ;;
      33 | 36) begin_anew "the server can't go on in the middle of a file" ;;
      22)
        case $code in
          416) begin_anew "the server has no more of it than what is there" ;;
          408 | 425 | 429 | 5??) ;;
          *) answered "$code" ;;
        esac
        ;;
      1 | 3) die "$name: '$source' is not a URL that can be downloaded" ;;
      23) die "$name: it can't be written: the volume is full or read-only" ;;
      60 | 77) die "$name: the certificate of $server isn't trusted. Give that of its authority: model.download.caConfigMap" ;;
    esac
    if [ "$has" -gt "$had" ]; then attempts=0; fi
    attempts=$((attempts + 1))
    [ "$attempts" -lt "$RETRIES" ] || die "$name: nothing more comes from $server (curl says $result, the server $code); what there is is kept"
    say "$name: interrupted at $(mib "$has") (curl says $result, the server $code), attempt $attempts of $RETRIES"
    sleep "$((attempts < 6 ? attempts * attempts : 30))"
  done
}

begin_anew() {
  [ "$had" -gt 0 ] || return 0
  say "$name: $1, so it begins anew"
  rm -f "$partial"
}

# Sets sum.
checksum() {
  say "$name: checking"
  run report_check sha256sum "$1" >"$work/sum" 3</dev/null || die "$name: it can't be read"
  read -r sum _ <"$work/sum"
}

remember() {
  printf '%s %s %s\n' "$sum" "$(size_of "$file")" "$source" >"$marker.new"
  mv -f "$marker.new" "$marker"
  rm -f "$origin" "$refused" "$file.corrupt"
}

check_refused() {
  if [ ! -f "$refused" ] || [ ! -f "$file.corrupt" ] || [ "$(cat "$refused")" != "$sha256" ]; then return 0; fi
  [ $(($(date +%s) - $(stat -c %Y "$refused"))) -ge "$REFUSED_SECONDS" ] ||
    die "$name: it came whole and with a wrong checksum before, so it isn't fetched again for 6 hours or until $name.corrupt is removed"
}

set_aside() {
  mv -f "$partial" "$file.corrupt"
  rm -f "$origin"
  [ "$resumed" = yes ] || echo "$sha256" >"$refused"
  die "$name: $1; what came is kept as $name.corrupt"
}

check_directory() {
  mkdir -p "$(dirname "$file")"
  case $(cd "$(dirname "$file")" && pwd -P)/ in
    "$root"/*) ;;
    *) die "'$name' is not on the volume: a link leads away from it" ;;
  esac
}

bring() {
  if is_done; then
    say "$name: there"
    return 0
  fi
  check_directory
  ask_about
  [ "$sha256" != - ] || [ "$ALLOW_UNVERIFIED" = yes ] ||
    die "$name: neither the values nor $server tell its checksum. Say its sha256, or model.download.allowUnverified"
  if [ -f "$file" ] && [ "$sha256" != - ] && { [ "$size" = - ] || [ "$size" = "$(size_of "$file")" ]; }; then
    checksum "$file"
    if [ "$sum" = "$sha256" ]; then
      remember
      say "$name: there"
      return 0
    fi
  fi
  [ ! -f "$file" ] || say "$name: another file is there and is replaced"
  check_refused
  expected=$sha256
  [ "$expected" != - ] || expected=$source
  if [ -f "$partial" ] && [ "$(cat "$origin" 2>/dev/null)" != "$expected" ]; then
    say "$name: what there is is of another file, so it begins anew"
    rm -f "$partial"
  fi
  if [ "$size" != - ] && [ "$(size_of "$partial")" -gt "$size" ]; then
    say "$name: what there is is too long, so it begins anew"
    rm -f "$partial"
  fi
  echo "$expected" >"$origin"
  resumed=no
  if [ -f "$partial" ]; then
    resumed=yes
    say "$name: goes on at $(mib "$(size_of "$partial")")"
  else
    say "$name: downloading"
  fi
  [ "$size" = - ] || check_space "$name" "$((size - $(size_of "$partial")))"
  transfer
  has=$(size_of "$partial")
  [ "$size" = - ] || [ "$has" -eq "$size" ] || set_aside "its size is $has, not $size"
  checksum "$partial"
  [ "$sha256" = - ] || [ "$sum" = "$sha256" ] || set_aside "the SHA-256 checksum is $sum, not $sha256"
  sync "$partial"
  mv -f "$partial" "$file"
  remember
  say "$name: done, $(mib "$has")"
}

# --- all of them ----------------------------------------------------------------------------------------------------------------------

count() {
  files=$((files + 1))
  is_done || missing=$((missing + 1))
  if ! is_done && [ "$size" != - ]; then bytes=$((bytes + size - $(size_of "$partial"))); fi
}

take_lock() {
  lock=$MODELS/.download.lock waited=0
  { true >>"$lock"; } 2>/dev/null || die "the volume can't be written to by user $(id -u) and group $(id -g)"
  exec 9>>"$lock"
  while :; do
    result=0
    flock -n 9 || result=$?
    case $result in
      0) return 0 ;;
      1) [ $((waited % 30)) -ne 0 ] || say "another pod downloads onto this volume: waiting" ;;
      *) die "this volume has no locks, so two pods could write one file" ;;
    esac
    sleep 2
    waited=$((waited + 2))
  done
}

files=0 missing=0 bytes=0
for_each count
[ "$files" -gt 0 ] || die "there is nothing in the list $LIST"
if [ "$missing" -eq 0 ]; then
  say "all $files files are there"
  exit 0
fi
root=$(cd "$MODELS" && pwd -P)
take_lock
missing=0 bytes=0 files=0
for_each count
check_space "$missing of $files files" "$bytes"
for_each bring
say "all $files files are there"
