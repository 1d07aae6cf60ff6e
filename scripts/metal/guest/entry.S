/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader to C, into and out of paging, the access itself, and traps. "SDM" is Intel's Software
 * Developer's Manual, volume 3.
 */
#include "layout.h"

#define CR0_WP (1 << 16)
#define CR0_PG (1 << 31)

#define P_RW_A_D 0x063
#define P_RW_US_A_D 0x067

/*
 * (i) Boot. This section is linked at its physical address, everything else in the window. The kernel's own
 * address spaces map its page to itself, because paging goes on and off here.
 */

	.section .boot, "ax"

#define MULTIBOOT_MAGIC 0x1badb002

	.align 4
	.long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.globl start
start:
	cli
	cld

	/* The least of 2-level tables: the window, which is the upper half of what a table covers, and this page. */
	movl $window_table - WINDOW + 512 * 4, %edi
	movl $P_RW_A_D, %eax
1:	stosl
	addl $4096, %eax
	cmpl $MEMORY_END, %eax
	jb 1b
	movl $window_table - WINDOW + P_RW_US_A_D, linear_root - WINDOW + 1023 * 4
	movl $linear_table - WINDOW + P_RW_A_D, linear_root - WINDOW
	movl $KERNEL + P_RW_A_D, linear_table - WINDOW + KERNEL / 4096 * 4

	movl $stack_end - WINDOW, %esp
	pushl $high
	addl $WINDOW, %esp
	movl $linear_root - WINDOW, %eax
	xorl %ecx, %ecx
	/* fall through */

/* CR3 from %eax, CR4 from %ecx, and back to the window. There is no stack while paging is off. */
change_paging:
	movl %cr0, %edx
	andl $~CR0_PG, %edx
	movl %edx, %cr0
	movl %ecx, %cr4
	movl %eax, %cr3
	orl $CR0_PG | CR0_WP, %edx
	movl %edx, %cr0
	ret

	.text
high:
	lgdt gdt_pointer
	ljmp $KERNEL_CODE, $1f
1:	movw $KERNEL_DATA, %ax
	movw %ax, %ss
	/* The data segment of CPL 3 serves CPL 0 as well, so no trap need load it. */
	movw $USER_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	call main

/*
 * void set_paging(u32 cr3, u32 cr4): other paging, in an address space of the kernel's own. SDM 4.1.2 lets
 * CR4.PAE change while paging is on, but hardly any kernel does that, and it is not what this one tests.
 */
	.globl set_paging
set_paging:
	movl 4(%esp), %eax
	movl 8(%esp), %ecx
	jmp change_paging

/*
 * (ii) bool touch(u32 vaddr, u32 how, u32 *word): the access. Loads *word from vaddr, by fetching it as an
 * instruction if so asked, or stores it there, at CPL 0 or CPL 3, and returns whether that faulted. All ends, the
 * fault and the interrupts of user code and of tags, come back by way of touching_esp.
 */

	.globl touch
touch:
	pushl %ebp
	pushl %ebx
	pushl %esi
	pushl %edi
	movl 20(%esp), %ecx
	movl 24(%esp), %edx
	movl 28(%esp), %esi
	movl (%esi), %eax
	movl %esp, touching_esp
	testl $ACCESS_USER, %edx
	jnz 2f
	testl $ACCESS_EXECUTE, %edx
	jnz 4f
	testl $ACCESS_WRITE, %edx
	jnz 1f
	movl (%ecx), %eax
	jmp touched
1:	movl %eax, (%ecx)
	jmp touched

4:	jmp *%ecx

2:	movl %ecx, %ebx
	testl $ACCESS_EXECUTE, %edx
	jnz 3f
	movl $user_read, %ebx
	testl $ACCESS_WRITE, %edx
	jz 3f
	movl $user_write, %ebx
3:	pushl $USER_DATA
	pushl $0		/* it has no stack */
	pushl $2		/* EFLAGS: no interrupts, no I/O */
	pushl $USER_CODE
	pushl %ebx
	iret

/* Where the interrupts of fetched tags go: one for each page, 16 bytes apart. */
	.globl fetched
	.align 16
fetched:
.set page, 0
.rept RAM_PAGES
	.align 16
	movl $TAG | page << TAG_PAGE_SHIFT, %eax
	jmp touched
.set page, page + 1
.endr

touched:
	movl touching_esp, %esp
	movl 28(%esp), %esi
	movl %eax, (%esi)
	xorl %eax, %eax
return_from_touch:
	movl $0, touching_esp
	popl %edi
	popl %esi
	popl %ebx
	popl %ebp
	ret

page_fault:
	cmpl $0, touching_esp
	je unexpected_page_fault
	popl fault_code
	movl %cr2, %eax
	movl %eax, fault_address
	movl touching_esp, %esp
	movl $1, %eax
	jmp return_from_touch

/* All that CPL 3 may see of the window, and may not write. */
	.section .user, "ax"
user_read:
	movl (%ecx), %eax
	int $VECTOR_DONE
user_write:
	movl %eax, (%ecx)
	int $VECTOR_DONE

/* (iii) Traps that are not expected end in C, with the registers as struct frame has them. */

	.text

.macro trap vector, has_code=0
trap_\vector:
	.if !\has_code
	pushl $0
	.endif
	pushl $\vector
	jmp unexpected
.endm

	trap 0
	trap 1
	trap 2
	trap 3
	trap 4
	trap 5
	trap 6
	trap 7
	trap 8, 1
	trap 9
	trap 10, 1
	trap 11, 1
	trap 12, 1
	trap 13, 1
	trap 16
	trap 17, 1
	trap 18
	trap 19

unexpected_page_fault:
	pushl $VECTOR_PAGE_FAULT
unexpected:
	pushal
	movl %cr3, %eax
	pushl %eax
	movl %cr2, %eax
	pushl %eax
	pushl %esp
	call trapped

/* An interrupt only ends a hlt: serial.c then asks the port. 0x20 ends it at the interrupt controller too. */
interrupt:
	pushl %eax
	movb $0x20, %al
	outb %al, $0x20
	popl %eax
	iret

	.section .rodata
	.globl trap_entries
trap_entries:
	.long trap_0, trap_1, trap_2, trap_3, trap_4, trap_5, trap_6, trap_7, trap_8, trap_9
	.long trap_10, trap_11, trap_12, trap_13, page_fault, 0, trap_16, trap_17, trap_18, trap_19
	.globl interrupt_entry, done_entry
interrupt_entry:
	.long interrupt
done_entry:
	.long touched

	.data
	.align 8
	.globl gdt_task
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff	/* code and data of CPL 0 and of CPL 3, 4 GB each */
	.quad 0x00cf92000000ffff
	.quad 0x00cffa000000ffff
	.quad 0x00cff2000000ffff
gdt_task:
	.quad 0
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.bss
	.align 16
	.globl touching_esp, fault_code, fault_address, trap_stack_end
touching_esp:
	.skip 4
fault_code:
	.skip 4
fault_address:
	.skip 4
	.align 16
	.skip 4096
stack_end:
	.skip 1024
trap_stack_end:		/* for traps from CPL 3 */
