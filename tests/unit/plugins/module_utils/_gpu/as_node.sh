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
mkdir "$AS_NODE/bin"
: > "$AS_NODE/files"
: > "$AS_NODE/directories"

for file in "$FIXTURE"/commands/*.txt; do
  [ -e "$file" ] || continue
  name=$(basename "$file" .txt)
  printf '#!/bin/sh\nexec python3 %s %s "$@"\n' "${FIXTURE%/*/*}/recorded.py" "$name" > "$AS_NODE/bin/$name"
  chmod +x "$AS_NODE/bin/$name"
done

# A plus in the name of a file stands for a colon.
cp --archive "$FIXTURE/tree" "$AS_NODE/tree"
find "$AS_NODE/tree" -depth -name '*+*' | while read -r path; do
  mv "$path" "${path%/*}/$(basename "$path" | tr + :)"
done
cd "$AS_NODE/tree"

# Nothing of the machine's own devices.
mkdir -p sys
mount --bind sys /sys
# A directory of /proc is taken as a whole, since nothing can be made there.
[ ! -d proc/driver ] || mount --bind proc/driver /proc/driver

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
