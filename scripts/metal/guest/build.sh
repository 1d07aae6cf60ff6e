#!/bin/sh
# Builds metal.elf and metal.img into a directory, by default the one above. Needs GCC and binutils for x86 (CC, OBJCOPY).
set -eu
cd "$(dirname "$0")"
out=${1:-..}
cc=${CC:-gcc}
objcopy=${OBJCOPY:-objcopy}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

# The kernel carries the hash of its sources, by which a test knows that it was built from them.
sources=$(cat build.sh entry.S floppy.S guest.h kernel.ld layout.h main.c program.c serial.c tables.c | sha256sum | cut -c1-64)

compile() {
	"$cc" -m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -static -no-pie -fno-pic -fno-stack-protector \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only -Wall -Wextra -Werror \
		-Wl,--build-id=none -Wl,-z,max-page-size=16 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-s "$@"
}

compile -Ui386 -E -P -x c kernel.ld -o "$made/kernel.ld"
compile "-DSOURCES=\"$sources\"" -Wl,-T,"$made/kernel.ld" -o "$made/metal.elf" entry.S main.c program.c serial.c tables.c

"$objcopy" -O binary "$made/metal.elf" "$made/kernel"
sectors=$((($(wc -c <"$made/kernel") + 511) / 512))
compile -DSECTORS=$sectors -Wl,-Ttext,0x7c00 -Wl,-N -o "$made/floppy.elf" floppy.S
"$objcopy" -O binary -j .text "$made/floppy.elf" "$made/metal.img"
cat "$made/kernel" >>"$made/metal.img"
truncate -s $(((sectors + 1) * 512)) "$made/metal.img"

chmod 644 "$made/metal.elf" "$made/metal.img"
mv "$made/metal.elf" "$made/metal.img" "$out"
