/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest's files share: main.c, program.c, tables.c and serial.c. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include "layout.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE 4096
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PHYSICAL(object) ((u32)(object) - WINDOW)

/* An entry's flags. */
#define P 0x01u
#define RW 0x02u
#define US 0x04u
#define A 0x20u
#define D 0x40u
#define PS 0x80u

/*
 * Variants of the kernel: bits that the harness sends before the first program. The first five are mistakes,
 * to show that such are found.
 */
#define NO_INVLPG 1		/* set-pte does not invalidate */
#define EARLY_FLUSH 2		/* set-pte invalidates before the store, and the CPU reads the page in between */
#define NO_PGD_RELOAD 4		/* set-pgd does not reload CR3 */
#define LAST_ROOT 8		/* new-pgtable loads the root that was given before */
#define USER_AT_CPL_0 16	/* user accesses are made by the supervisor */
#define SHOWS_PDPTES 32		/* reports bit 5 of the words at PAE's top (tables.c) */
#define NO_STORES 64		/* answers have no stores: the CPU speculates, and sets A early (SDM 4.10.2.3) */

extern u32 variant;

/* What the CPU of a program may have: bits in the order of model/formats.md (Program). */
#define WRITE_PROTECT_OFF 1	/* CR0.WP is 0 */
#define RESERVED_BITS 2		/* entries may have reserved bits set; there is nothing to switch on */
#define LARGE_PAGES 4		/* CR4.PSE */
#define GLOBAL_PAGES 8		/* CR4.PGE */
#define NO_EXECUTE 16		/* EFER.NXE; PAE alone */

/*
 * Programs and answers lie here, whether they came by way of memory or of the serial port. The place of the
 * step that runs is left for a harness that can read memory, in case the machine dies of it.
 */
struct mailbox {
	u32 words_in, words_out;
	u32 program;		/* of a batch, from 0 */
	int step;		/* from 0; or: */
#define AT_CREATE -1
#define AT_DESTROY -2
	u32 unused[1020];
	u32 in[(0x1a0000 - MAILBOX - PAGE) / 4];
	u32 out[(MEMORY_END - 0x1a0000) / 4];
};

#define mailbox ((struct mailbox *)(MAILBOX + WINDOW))

/* program.c */
void run_program(const u32 *words, const u32 *end);
void answer(u32 word);

/* tables.c */
extern bool pae;
void build_tables(void);
u32 cpu_features(void);
void begin_tables(bool wants_pae, u32 guest_pages, u32 wanted_features);
void end_tables(void);
bool linear(void);
u32 current_root(void);
void load_root(u32 root);
void store(u32 paddr, u64 entry);
u32 page_reached(u32 vaddr, u32 how, u32 word);
void report_stores(u32 vaddr, bool faulted);
void report_no_stores(void);

#define MARKER 0xa55a5aa4u	/* what write accesses store; not present, should a walk find it */

/* entry.S */
void set_paging(u32 cr3, u32 cr4);
bool touch(u32 vaddr, u32 how, u32 *word);
extern u32 fault_code, fault_address;

/* main.c */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* serial.c */
void serial_begin(void);
u8 serial_wait(void);
u32 serial_get_word(void);
void serial_put(u8 byte);
void serial_put_word(u32 word);

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif
