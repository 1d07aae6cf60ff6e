/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between lguest's page_tables.c, which is compiled once for each paging mode (kernel.c), and the subject that drives
 * both copies (lguest.c). Neither side sees the headers of the other: one has the kernel's names, one has libc.
 */
#ifndef PAGE_TABLES_H
#define PAGE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* One copy of page_tables.c, with one guest. Addresses are 32 bits, of the host too. */
struct page_tables {
	/* Starts afresh. False if the host has no memory. */
	bool (*create)(uint32_t guest_pages, uint32_t device_pages, uint32_t host_cpus);
	void (*destroy)(void);
	/* Returns how many bytes at the top the guest is told not to use. */
	uint32_t (*init)(uint32_t kernel_address);
	void (*new_pagetable)(uint32_t root);
	void (*clear_all)(void);
	void (*flush_user)(void);
	void (*set_stack)(uint32_t esp, uint32_t pages);
	void (*set_pte)(uint32_t root, uint32_t vaddr, uint64_t pte);
	void (*set_pgd)(uint32_t root, uint32_t index);
	void (*enter_guest)(void);
	/* Whether the fault is fixed; else *iomem is the address of a device, or 0. */
	bool (*demand_page)(uint32_t vaddr, uint32_t code, uint32_t *iomem);
	uint32_t (*guest_pa)(uint32_t vaddr);

	uint32_t (*current)(void);
	/* Host address of a slot's root page, or 0. */
	uint32_t (*root)(uint32_t slot);
	uint32_t (*guest_root)(uint32_t slot);
	/* The host CPU whose pages the current slot maps, or -1. */
	int (*mapped_cpu)(void);
};

extern const struct page_tables page_tables_2_level, page_tables_pae;

/* What the kernel offers page_tables.c; lguest.c has it. */

/* Physical pages that can be taken by reference: those of the guest, then the Switcher's. */
enum { TEXT_FRAME = 4096, STATE_FRAMES, REGISTERS_FRAME = STATE_FRAMES + 2 * 64, FRAMES };
struct page {
	int count;
};
extern struct page frames[FRAMES];
/* Physical address of frames[0]. Nothing is there. */
extern uint32_t frames_base;

uint32_t host_allocate(void);
void host_free(uint32_t page);
void frame_get(uint32_t frame);
void frame_put(uint32_t frame);
bool frame_allows(uint32_t frame, bool write);
bool guest_read(uint32_t paddr, uint64_t *entry);
void guest_write(uint32_t paddr, uint64_t entry);
uint32_t host_draw(void);
uint32_t host_cpu(void);
void guest_kill(const char *format, ...) __attribute__((format(printf, 1, 2)));
void host_bug(const char *reason) __attribute__((noreturn));

#endif
