/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything lies; README.md draws it. Used by C, by assembly and by the linker script.
 *
 * The kernel needs only the low 2 MB of physical memory, and sees them through its window: the top 2 MB of
 * every address space, at physical + WINDOW.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define WINDOW 0xffe00000

#define RAM_PAGES 128		/* program RAM, from physical 0: below the 640 kB at which a PC's hole begins */
#define KERNEL 0x100000		/* physical */
#define MAILBOX 0x180000	/* physical: struct mailbox */
#define MEMORY_END 0x200000

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b		/* with the requested privilege level, 3 */
#define USER_DATA 0x23
#define TASK 0x28

#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ 0x20		/* of IRQ 0; the serial port's is 4 */
#define VECTOR_DONE 0x30	/* an access at CPL 3 is done */
#define VECTOR_FETCHED 0x80	/* an instruction of page 0 of program RAM was fetched; those of its other pages follow */
#define VECTORS 0x100

/*
 * A word that the program has not stored holds its page's number, so that an access says which page it reached.
 * Read, it is a number; fetched, it is "nop; int $VECTOR_FETCHED + page". P is clear, so that to the MMU it is as
 * good as the zero that the program takes it for.
 */
#define TAG 0x7a80cd90
#define TAG_PAGE_SHIFT 16
#define TAG_PAGE_MASK 0x007f0000

#define ACCESS_WRITE 1		/* as the binary encoding has it (model/formats.md) */
#define ACCESS_USER 2
#define ACCESS_EXECUTE 4

#endif
