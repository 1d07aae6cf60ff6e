#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds Linux's lguest as a subject, from your copy of drivers/lguest/page_tables.c:
#
#	LGUEST_SOURCE=~/linux/drivers/lguest/page_tables.c ./build.sh ./lguest [compiler options]
#
# It needs a compiler for 32 bits (Debian: gcc-multilib). Options are added, such as -fsanitize=address,undefined; CC names
# another compiler.
set -eu
[ $# -ge 1 ] && [ -f "${LGUEST_SOURCE:-}" ] || {
  echo "usage: LGUEST_SOURCE=.../drivers/lguest/page_tables.c $0 OUTPUT [compiler options]" >&2
  exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
output=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The C is compiled from a copy, so that the lg.h beside it is not found, with headers of the kernel that are empty.
cp "$LGUEST_SOURCE" "$work/page_tables.c"
mkdir "$work/linux" "$work/asm"
for header in linux/mm linux/gfp linux/types linux/spinlock linux/random linux/percpu linux/uaccess asm/tlbflush; do
  : >"$work/$header.h"
done

compile() { "${CC:-gcc}" -m32 -O2 -g -fno-strict-aliasing "$@"; }
# The null pointer that the C follows is a finding, for which the signal is enough.
kernel() { compile -w "$@" -fno-sanitize=null -I "$here" -I "$work" -c "$here/kernel.c"; }
kernel "$@" -o "$work/2-level.o"
kernel "$@" -DCONFIG_X86_PAE -o "$work/pae.o"
compile -Wall -Wextra "$@" -o "$output" "$here/lguest.c" "$work/2-level.o" "$work/pae.o"
