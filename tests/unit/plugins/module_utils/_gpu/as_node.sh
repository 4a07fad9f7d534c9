#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# Stands for Python in a container, on the node whose fixture is in FIXTURE: its files are bound over those of the container,
# its programs come first in PATH. What is bound is seen by this process alone, and what had to be made is removed again.
set -eu

if [ -z "${AS_NODE:-}" ]; then
  AS_NODE=$(mktemp -d) exec unshare --mount --propagation private "$0" "$@"
fi
trap 'while read -r path; do rm -f "$path"; done < "$AS_NODE/files"
  while read -r path; do rmdir "$path" 2> /dev/null || true; done < "$AS_NODE/directories"
  rm -r "$AS_NODE"' EXIT
mkdir "$AS_NODE/bin" "$AS_NODE/sys"
: > "$AS_NODE/files"
: > "$AS_NODE/directories"

for file in "$FIXTURE"/commands/*.txt; do
  [ ! -e "$file" ] || ln -s "${FIXTURE%/*/*}/recorded.py" "$AS_NODE/bin/$(basename "$file" .txt)"
done

# Nothing of the machine's own devices.
if [ -d "$FIXTURE/tree/sys" ]; then
  mount --bind "$FIXTURE/tree/sys" /sys
else
  mount --bind "$AS_NODE/sys" /sys
fi
# A directory of /proc is taken as a whole, since nothing can be made there.
if [ -d "$FIXTURE/tree/proc/driver" ]; then
  mount --bind "$FIXTURE/tree/proc/driver" /proc/driver
fi

cd "$FIXTURE/tree"
find . -type d ! -path './sys*' ! -path './proc*' | sed 's/^\.//' | while read -r path; do
  if [ -n "$path" ] && [ ! -d "$path" ]; then
    mkdir "$path"
    # The innermost is removed first.
    { echo "$path"; cat "$AS_NODE/directories"; } > "$AS_NODE/more"
    mv "$AS_NODE/more" "$AS_NODE/directories"
  fi
done
find . ! -type d ! -path './sys/*' ! -path './proc/driver/*' ! -name .gitkeep | sed 's/^\.//' | while read -r path; do
  if [ -e "$path" ] && [ ! -L "$path" ]; then
    mount --bind ".$path" "$path"
  elif [ ! -e "$path" ]; then
    cp --no-dereference ".$path" "$path"
    echo "$path" >> "$AS_NODE/files"
  fi
done
cd /
PATH="$AS_NODE/bin:$PATH" python3 "$@"
