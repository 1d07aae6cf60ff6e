#!/bin/sh
# Builds ../metal.elf. Any GCC or Clang for x86 will do (CC).
set -eu
cd "$(dirname "$0")"
cc=${CC:-gcc}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
flags="-m32 -march=i686 -O2 -std=gnu11 -ffreestanding -nostdlib -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables
	-fno-tree-loop-distribute-patterns -mgeneral-regs-only -Wall -Wextra -Werror"
# shellcheck disable=SC2086 # they are words
"$cc" $flags -Ui386 -E -P -x c kernel.ld -o "$made/kernel.ld"
# shellcheck disable=SC2086
"$cc" $flags -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=16 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-T,"$made/kernel.ld" -Wl,-s \
	-o ../metal.elf entry.S main.c program.c serial.c tables.c
