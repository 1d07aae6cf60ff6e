/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that page_tables.c needs of the kernel, for user space: the types of page-table entries, the structures of a
 * guest, and memory. Addresses of the host are physical and virtual at once, so the program must have 32 bits.
 */
#ifndef LG_H
#define LG_H

#include <stddef.h>
#include <stdint.h>
#include "page-tables.h"

_Static_assert(sizeof(void *) == 4, "compile with -m32");

typedef uint32_t u32;
typedef uint64_t u64;

#define __user
#define likely(condition) (condition)
#define unlikely(condition) (condition)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))
#define BUG_ON(condition) ((condition) ? host_bug("BUG_ON(" #condition ")") : (void)0)
#define ENOMEM 12

/* Entries. A structure for each level keeps them apart; their values have 32 bits, or 64 in PAE. */

#ifdef CONFIG_X86_PAE
typedef u64 entry_value;
#define PGDIR_SHIFT 30
#define PMD_SHIFT 21
#define PTRS_PER_PGD 4
#define PTRS_PER_PMD 512
#define PTRS_PER_PTE 512
#define PTE_PFN_MASK 0x00000ffffffff000ull
#else
typedef u32 entry_value;
#define PGDIR_SHIFT 22
#define PTRS_PER_PGD 1024
#define PTRS_PER_PTE 1024
#define PTE_PFN_MASK 0xfffff000u
#endif

typedef struct { entry_value pgd; } pgd_t;
typedef struct { entry_value pmd; } pmd_t;
typedef struct { entry_value pte; } pte_t;
typedef struct { entry_value prot; } pgprot_t;

#define __pgd(value) ((pgd_t){ (value) })
#define __pmd(value) ((pmd_t){ (value) })
#define __pte(value) ((pte_t){ (value) })
#define __pgprot(value) ((pgprot_t){ (value) })

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define _PAGE_PRESENT 0x001
#define _PAGE_RW 0x002
#define _PAGE_USER 0x004
#define _PAGE_ACCESSED 0x020
#define _PAGE_DIRTY 0x040
#define _PAGE_PSE 0x080
#define _PAGE_GLOBAL 0x100
#define _PAGE_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define __PAGE_KERNEL (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_GLOBAL)
#define __PAGE_KERNEL_RO (__PAGE_KERNEL & ~_PAGE_RW)
#define PAGE_KERNEL_RX __pgprot(__PAGE_KERNEL_RO)

/* Of upper entries the page number is everything from bit 12 up, reserved bits too. A leaf's reserved bits are flags. */
#define pgd_flags(entry) ((entry).pgd & (PAGE_SIZE - 1))
#define pgd_pfn(entry) ((entry).pgd >> PAGE_SHIFT)
#define pmd_flags(entry) ((entry).pmd & (PAGE_SIZE - 1))
#define pmd_pfn(entry) ((entry).pmd >> PAGE_SHIFT)
#define pte_flags(entry) ((entry).pte & ~(entry_value)PTE_PFN_MASK)
#define pte_pfn(entry) ((unsigned long)(((entry).pte & PTE_PFN_MASK) >> PAGE_SHIFT))

#define pgd_index(address) ((address) >> PGDIR_SHIFT & (PTRS_PER_PGD - 1))
#define pmd_index(address) ((address) >> PMD_SHIFT & (PTRS_PER_PMD - 1))
#define pte_index(address) ((address) >> PAGE_SHIFT & (PTRS_PER_PTE - 1))

#define set_pgd(place, entry) (*(place) = (entry))
#define set_pmd(place, entry) (*(place) = (entry))
#define set_pte(place, entry) (*(place) = (entry))
#define pte_dirty(entry) ((entry).pte & _PAGE_DIRTY)
#define pte_mkyoung(entry) __pte((entry).pte | _PAGE_ACCESSED)
#define pte_mkdirty(entry) __pte((entry).pte | _PAGE_DIRTY)
#define pte_wrprotect(entry) __pte((entry).pte & ~(entry_value)_PAGE_RW)
#define pfn_pte(pfn, protection) __pte((entry_value)(pfn) << PAGE_SHIFT | (protection).prot)

/* Memory of the host. */

#define __va(physical) ((void *)(unsigned long)(physical))
#define __pa(address) ((unsigned long)(address))
#define GFP_KERNEL 0
#define get_zeroed_page(how) host_allocate()
#define free_page(page) host_free((uint32_t)(page))

#define page_to_pfn(page) ((unsigned long)((page) - frames) + (frames_base >> PAGE_SHIFT))
#define pfn_to_page(pfn) (frames + ((unsigned long)(pfn) - (frames_base >> PAGE_SHIFT)))
#define pte_page(entry) pfn_to_page(pte_pfn(entry))
#define mk_pte(page, protection) pfn_pte(page_to_pfn(page), protection)
#define get_page(page) frame_get((uint32_t)((page) - frames))
#define put_page(page) frame_put((uint32_t)((page) - frames))

static inline int get_user_pages_fast(unsigned long start, int count, int write, struct page **pages)
{
	uint32_t frame = (start - frames_base) >> PAGE_SHIFT;

	if (count != 1 || !frame_allows(frame, write != 0))
		return 0;
	frame_get(frame);
	*pages = &frames[frame];
	return 1;
}

#define prandom_u32() host_draw()
#define raw_smp_processor_id() ((int)host_cpu())
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < nr_cpu_ids; (cpu)++)
#define get_user(variable, place) ((variable) = *(place), 0)
#define put_user(value, place) (*(place) = (value), 0)

/* A guest. */

struct pgdir {
	unsigned long gpgdir;
	pgd_t *pgdir;
	bool switcher_mapped;
	int last_host_cpu;
};

struct lguest_data {
	unsigned long kernel_address;
	u32 reserve_mem;
};

/* A host CPU's two pages of the Switcher. */
struct lguest_pages {
	char pages[2][PAGE_SIZE];
};

struct lg_cpu {
	struct lguest *lg;
	int cpu_pgd;
	bool linear_pages;
	unsigned long regs_page;
	u32 esp1;
	u32 stack_pages;
};

struct lguest {
	struct lg_cpu cpus[1];
	struct pgdir pgdirs[4];
	void *mem_base;
	u32 pfn_limit, device_limit;
	unsigned long kernel_address;
	struct lguest_data *lguest_data;
};

static unsigned int nr_cpu_ids;
static struct page *lg_switcher_pages[1 + 2 * 64];
#define TOTAL_SWITCHER_PAGES ((int)(1 + 2 * nr_cpu_ids))
#ifdef CONFIG_X86_PAE
static const unsigned long switcher_addr = 0xffe00000;
#else
static const unsigned long switcher_addr = 0xffc00000;
#endif

#define kill_guest(cpu, ...) guest_kill(__VA_ARGS__)

/* A word outside guest memory kills, and reads as zero. */
#define lgread(cpu, address, type) ((type){ lg_read_entry(address) })
#define lgwrite(cpu, address, type, entry) guest_write((uint32_t)(address), *(const entry_value *)&(entry))

static inline entry_value lg_read_entry(unsigned long address)
{
	u64 entry = 0;

	if (!guest_read((uint32_t)address, &entry))
		guest_kill("bad read address %#lx len %u", address, (unsigned int)sizeof(entry_value));
	return (entry_value)entry;
}

/* Declared static, so that both copies of page_tables.c fit into one program. */
static bool demand_page(struct lg_cpu *cpu, unsigned long vaddr, int code, unsigned long *iomem);
static void pin_page(struct lg_cpu *cpu, unsigned long vaddr);
static void guest_pagetable_flush_user(struct lg_cpu *cpu);
static bool __guest_pa(struct lg_cpu *cpu, unsigned long vaddr, unsigned long *paddr);
static unsigned long guest_pa(struct lg_cpu *cpu, unsigned long vaddr);
static void guest_pagetable_clear_all(struct lg_cpu *cpu);
static void guest_new_pagetable(struct lg_cpu *cpu, unsigned long pgtable);
static void guest_set_pte(struct lg_cpu *cpu, unsigned long gpgdir, unsigned long vaddr, pte_t entry);
static void guest_set_pgd(struct lguest *lg, unsigned long gpgdir, u32 index);
#ifdef CONFIG_X86_PAE
static void guest_set_pmd(struct lguest *lg, unsigned long pmd, u32 index);
#endif
static int init_guest_pagetable(struct lguest *lg);
static void page_table_guest_data_init(struct lg_cpu *cpu);
static void free_guest_pagetable(struct lguest *lg);
static void map_switcher_in_guest(struct lg_cpu *cpu, struct lguest_pages *pages);

/* The stack lies below esp1, and its pages are pinned from the top down. */
static void pin_stack_pages(struct lg_cpu *cpu)
{
	u32 i;

	for (i = 0; i < cpu->stack_pages; i++)
		pin_page(cpu, (u32)(cpu->esp1 - 1 - i * PAGE_SIZE));
}

#endif
