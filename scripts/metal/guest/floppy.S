/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first sector of ../metal.img, a boot floppy for machines that load no ELF: it loads the kernel, which
 * fills the next SECTORS sectors, and enters it as a multiboot loader does: in protected mode, without
 * paging, at the address behind the header.
 */
#include "layout.h"

#define BUFFER 0x10000		/* the BIOS cannot load above 1 MB */
#define SECTOR 512
#define SECTORS_PER_TRACK 18	/* of a floppy of 1.44 MB */
#define HEADER 12

	.code16
	.text
	.globl _start
_start:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	movw $BUFFER / 16, %ax
	movw %ax, %es
	movb %dl, drive

	/* Sector by sector, so that none crosses a track or a border of 64 kB. */
	movw $1, %si
read:	movw %si, %ax
	xorw %dx, %dx
	movw $SECTORS_PER_TRACK, %cx
	divw %cx
	movb %dl, %cl
	incb %cl		/* sectors count from 1 */
	movb %al, %ch
	shrb $1, %ch		/* two heads */
	movb %al, %dh
	andb $1, %dh
	movb drive, %dl
	xorw %bx, %bx
	movw $0x0201, %ax
	int $0x13
	jc read
	movw %es, %ax
	addw $SECTOR / 16, %ax
	movw %ax, %es
	incw %si
	cmpw $SECTORS, %si
	jbe read

	inb $0x92, %al		/* address line 20 on */
	orb $2, %al
	outb %al, $0x92
	lgdt gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmp $KERNEL_CODE, $protected

	.code32
protected:
	movw $KERNEL_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $BUFFER, %esi
	movl $KERNEL, %edi
	movl $SECTORS * SECTOR / 4, %ecx
	rep movsl
	movl $MEMORY_END, %ecx	/* the kernel needs zeros up to the mailbox; Bochs keeps in one piece what is touched in one sweep */
	subl %edi, %ecx
	xorl %eax, %eax
	rep stosb
	movl $KERNEL + HEADER, %eax
	jmp *%eax

	.align 8
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff
	.quad 0x00cf92000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
drive:
	.byte 0

	.org 510
	.word 0xaa55
