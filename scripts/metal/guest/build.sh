#!/bin/sh
# Builds ../metal.elf and ../metal.img from the files here. Needs GCC and binutils for x86 (CC, OBJCOPY).
set -eu
cd "$(dirname "$0")"
cc=${CC:-gcc}
objcopy=${OBJCOPY:-objcopy}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

compile() {
	"$cc" -m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -static -no-pie -fno-pic -fno-stack-protector \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only -Wall -Wextra -Werror \
		-Wl,--build-id=none -Wl,-z,max-page-size=16 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-s "$@"
}

compile -Ui386 -E -P -x c kernel.ld -o "$made/kernel.ld"
compile -Wl,-T,"$made/kernel.ld" -o ../metal.elf entry.S main.c program.c serial.c tables.c

"$objcopy" -O binary ../metal.elf "$made/kernel"
sectors=$((($(wc -c <"$made/kernel") + 511) / 512))
compile -DSECTORS=$sectors -Wl,-Ttext,0x7c00 -Wl,-N -o "$made/floppy.elf" floppy.S
"$objcopy" -O binary -j .text "$made/floppy.elf" ../metal.img
cat "$made/kernel" >>../metal.img
truncate -s $(((sectors + 1) * 512)) ../metal.img
