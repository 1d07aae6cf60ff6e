/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux's lguest as a subject: the user's copy of drivers/lguest/page_tables.c (kernel.c), and here everything around
 * it: host memory, references, hypercalls, and the CPU, which walks the shadow tables that the C made. build.sh builds
 * it.
 */
#include "../c/shadowdiff.h"
#include "page-tables.h"
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>

#define PAGE 4096u
enum { P = 1, RW = 2, US = 4 };

static const struct page_tables *code; /* of the program's paging mode */
static struct sd_machine machine;
static bool initialized;
static uint32_t draw;

/* What goes wrong in the C leaves it by a jump, for the hypervisor is broken then. */

static sigjmp_buf broken;
static volatile sig_atomic_t in_code;
static struct sigaction old_segv;

void host_bug(const char *reason)
{
	sd_host_bug("%s", reason);
	in_code = 0;
	siglongjmp(broken, 1);
}

static void on_segv(int signal, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	if (in_code)
		host_bug("invalid host memory access");
	sigaction(signal, &old_segv, NULL);
}

static void catch_segv(void)
{
	static bool caught;
	struct sigaction action;

	if (caught)
		return;
	caught = true;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_segv;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigaction(SIGSEGV, &action, &old_segv);
}

/* Host pages for tables. Behind each lies one that cannot be accessed, so that an entry past the end is noticed. */

#define MOST_PAGES (4 * (1 + 4 + 4 * 512))

static unsigned char *pool;
static bool allocated[MOST_PAGES];
static uint32_t free_pages[MOST_PAGES], free_count, used_pages, table_count;

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
void __asan_poison_memory_region(void const volatile *at, size_t size);
void __asan_unpoison_memory_region(void const volatile *at, size_t size);
#else
#define __asan_poison_memory_region(at, size) ((void)0)
#define __asan_unpoison_memory_region(at, size) ((void)0)
#endif

static void *reserve(size_t size)
{
	void *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		sd_refuse("no address space");
	return at;
}

static void reset_pool(void)
{
	if (!pool)
		pool = reserve((size_t)MOST_PAGES * 2 * PAGE);
	memset(allocated, 0, used_pages);
	free_count = used_pages = table_count = 0;
}

uint32_t host_allocate(void)
{
	static uint32_t accessible;
	uint32_t number;

	if (sd_allocation_fails())
		return 0;
	number = free_count > 0 ? free_pages[--free_count] : used_pages++;
	if (number >= MOST_PAGES)
		sd_refuse("more tables than an address space can need");
	if (number >= accessible && mprotect(pool + number * 2 * PAGE, PAGE, PROT_READ | PROT_WRITE) != 0)
		sd_refuse("out of memory");
	if (number >= accessible)
		accessible = number + 1;
	allocated[number] = true;
	table_count++;
	__asan_unpoison_memory_region(pool + number * 2 * PAGE, PAGE);
	memset(pool + number * 2 * PAGE, 0, PAGE);
	return (uint32_t)(uintptr_t)(pool + number * 2 * PAGE);
}

static uint32_t page_number(uint32_t address)
{
	return (address - (uint32_t)(uintptr_t)pool) / (2 * PAGE);
}

void host_free(uint32_t page)
{
	uint32_t number = page_number(page);

	if (page == 0)
		return;
	if (number >= MOST_PAGES || !allocated[number])
		host_bug("free_page: the page is not allocated");
	allocated[number] = false;
	free_pages[free_count++] = number;
	table_count--;
	__asan_poison_memory_region(pool + number * 2 * PAGE, PAGE);
}

/* Pages that are taken by reference. */

struct page frames[FRAMES];
uint32_t frames_base;

static void count_frame(uint32_t frame, int change)
{
	if (frame >= FRAMES)
		host_bug("a reference on a page that does not exist");
	if (frames[frame].count + change < 0)
		host_bug("put_page: reference count underflow");
	frames[frame].count += change;
	if (frame < machine.guest_pages)
		sd_references(frame, (uint32_t)frames[frame].count);
}

void frame_get(uint32_t frame)
{
	count_frame(frame, 1);
}

void frame_put(uint32_t frame)
{
	count_frame(frame, -1);
}

bool frame_allows(uint32_t frame, bool write)
{
	return frame < machine.guest_pages && sd_page_allows(frame, write);
}

/* Guest RAM, kills, chance. */

bool guest_read(uint32_t paddr, uint64_t *entry)
{
	return sd_ram_read(paddr, entry);
}

void guest_write(uint32_t paddr, uint64_t entry)
{
	sd_ram_write(paddr, entry);
}

void guest_kill(const char *format, ...)
{
	char text[128];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	sd_kill("%s", text);
}

uint32_t host_draw(void)
{
	return draw;
}

uint32_t host_cpu(void)
{
	return sd_host_cpu();
}

/* The CPU. It combines the rights of the leaf and the entry above it; PAE's top entries have none. */

static const struct geometry {
	uint32_t switcher, leaf; /* depth of the leaf tables */
	uint32_t shift[3], entries[3];
} geometries[] = {
	{ 0xffc00000, 1, { 22, 12 }, { 1024, 1024 } },
	{ 0xffe00000, 2, { 30, 21, 12 }, { 4, 512, 512 } },
}, *geometry;

static uint64_t entry_at(uint32_t table, uint32_t index)
{
	const void *at = (const void *)(uintptr_t)table;

	return machine.paging == SD_PAE ? ((const uint64_t *)at)[index] : ((const uint32_t *)at)[index];
}

/* Whether the shadow allows an access. If it has a leaf, its frame goes to *frame, else FRAMES. */
static bool cpu_allows(uint32_t vaddr, uint32_t needed, uint32_t *frame)
{
	uint32_t table = code->root(code->current()), depth;
	uint64_t entry = 0, rights = RW | US;

	*frame = FRAMES;
	for (depth = 0; depth <= geometry->leaf; depth++) {
		entry = entry_at(table, vaddr >> geometry->shift[depth] & (geometry->entries[depth] - 1));
		if (!(entry & P))
			return false;
		if (depth > 0 || machine.paging != SD_PAE)
			rights &= entry;
		table = (uint32_t)(entry & ~(uint64_t)(PAGE - 1));
	}
	*frame = (table - frames_base) / PAGE;
	return (rights & needed) == needed;
}

/* RW and US stand where a fault's code has write and user. Segments keep the guest out of the Switcher's window. */
static struct sd_outcome access_page(uint32_t vaddr, uint32_t needed)
{
	uint32_t frame, iomem;

	if (code->mapped_cpu() != (int)sd_host_cpu())
		sd_shadow_changed();
	code->enter_guest();
	if (vaddr >= geometry->switcher)
		return sd_fault(needed);
	if (!cpu_allows(vaddr, needed, &frame)) {
		uint32_t fault = needed | (frame < FRAMES ? P : 0);

		sd_shadow_changed();
		if (!code->demand_page(vaddr, fault, &iomem))
			return iomem ? sd_mmio(iomem) : sd_fault(fault);
		if (!cpu_allows(vaddr, needed, &frame))
			return sd_stuck();
	}
	return sd_mapped(frame * PAGE | vaddr % PAGE);
}

/* Steps. */

static struct sd_outcome hypercall(const struct sd_step *step)
{
	switch (step->op) {
	case SD_INIT:
		if (initialized)
			return sd_kill("already have lguest_data");
		initialized = true;
		return sd_initialized(code->init(step->as.init.kernel_address));
	case SD_NEW_PGTABLE:
		draw = step->as.new_pgtable.draw;
		code->new_pagetable(step->as.new_pgtable.root);
		break;
	case SD_FLUSH_TLB:
		if (step->as.flush_tlb.user)
			code->flush_user();
		else
			code->clear_all();
		break;
	case SD_SET_STACK:
		if (step->as.set_stack.pages > 2)
			return sd_kill("bad stack pages %u", step->as.set_stack.pages);
		code->set_stack(step->as.set_stack.esp, step->as.set_stack.pages);
		break;
	case SD_SET_PMD:
		if (machine.paging != SD_PAE)
			return sd_kill("Bad hypercall 13");
		code->clear_all();
		break;
	case SD_SET_PTE:
		code->set_pte(step->as.set_pte.root, step->as.set_pte.vaddr, step->as.set_pte.pte);
		break;
	default: /* SD_SET_PGD */
		code->set_pgd(step->as.set_pgd.root, step->as.set_pgd.index);
		break;
	}
	return sd_ok();
}

static struct sd_outcome take_step(const struct sd_step *step)
{
	static const unsigned char hypercalls[SD_OPS] = { 0, 1, 4, 5, 7, 13, 14, 15 };

	if (step->op == SD_ACCESS)
		return access_page(step->as.access.vaddr,
				   (step->as.access.write ? RW : 0) | (step->as.access.user ? US : 0));
	if (step->op == SD_GUEST_PA)
		return sd_physical(code->guest_pa(step->as.guest_pa.vaddr));
	if (!hypercalls[step->op])
		return sd_ok();
	if (!initialized && step->op != SD_INIT)
		return sd_kill("hypercall %u before INIT", hypercalls[step->op]);
	sd_shadow_changed();
	return hypercall(step);
}

/* A host bug ends a call early; what it returns then does not matter. */
static struct sd_outcome apply(const struct sd_step *step)
{
	static struct sd_outcome outcome;

	if (sigsetjmp(broken, 0) == 0) {
		in_code = 1;
		outcome = take_step(step);
	}
	in_code = 0;
	return outcome;
}

static struct sd_outcome create(const struct sd_machine *wanted)
{
	static bool created;

	catch_segv();
	reset_pool();
	if (frames_base == 0)
		frames_base = (uint32_t)(uintptr_t)reserve((size_t)FRAMES * PAGE);
	memset(frames, 0, sizeof frames);
	machine = *wanted;
	geometry = &geometries[machine.paging];
	code = machine.paging == SD_PAE ? &page_tables_pae : &page_tables_2_level;
	initialized = false;
	draw = machine.draw;
	if (sigsetjmp(broken, 0) == 0) {
		in_code = 1;
		created = code->create(machine.guest_pages, machine.device_pages, machine.host_cpus);
	}
	in_code = 0;
	return created ? sd_created() : sd_no_memory();
}

static void destroy(void)
{
	if (sigsetjmp(broken, 0) == 0) {
		in_code = 1;
		code->destroy();
	}
	in_code = 0;
}

/* Observations. */

static void inside(struct sd_inside *seen)
{
	uint32_t cpu;

	seen->tables = table_count;
	seen->text = (uint32_t)frames[TEXT_FRAME].count;
	seen->registers = (uint32_t)frames[REGISTERS_FRAME].count;
	for (cpu = 0; cpu < machine.host_cpus; cpu++)
		seen->state[cpu] = (uint32_t)frames[STATE_FRAMES + 2 * cpu + 1].count;
}

static void show_leaf(uint32_t slot, uint32_t vaddr, uint64_t leaf, uint64_t upper)
{
	uint32_t frame = ((uint32_t)leaf - frames_base) / PAGE, page = 0;
	enum sd_target target = SD_STRAY;

	if (frame < machine.guest_pages) {
		target = SD_RAM;
		page = frame;
	} else if (frame == TEXT_FRAME) {
		target = SD_SWITCHER_TEXT;
	} else if (frame == REGISTERS_FRAME) {
		target = SD_SWITCHER_REGISTERS;
	} else if (frame > STATE_FRAMES && frame < REGISTERS_FRAME && (frame - STATE_FRAMES) % 2 == 1) {
		target = SD_SWITCHER_STATE;
		page = (frame - STATE_FRAMES) / 2;
	} else {
		page = (uint32_t)leaf / PAGE;
	}
	sd_shadow_leaf(slot, vaddr, target, page, leaf >> 1 & 3, upper >> 1 & 3);
}

static void show_table(uint32_t slot, uint32_t table, uint32_t depth, uint32_t base, uint64_t upper)
{
	uint32_t index;

	if (depth > 0)
		sd_shadow_table(slot, depth, base, page_number(table));
	for (index = 0; index < geometry->entries[depth]; index++) {
		uint64_t entry = entry_at(table, index);
		uint32_t vaddr = base + (index << geometry->shift[depth]);

		if ((entry & P) && depth == geometry->leaf)
			show_leaf(slot, vaddr, entry, upper);
		else if (entry & P)
			show_table(slot, (uint32_t)(entry & ~(uint64_t)(PAGE - 1)), depth + 1, vaddr, entry);
	}
}

static void shadow(void)
{
	uint32_t i;

	sd_shadow_current(code->current());
	for (i = 0; i < SD_SLOTS; i++) {
		if (code->root(i) == 0)
			continue;
		sd_shadow_root(i, page_number(code->root(i)), code->guest_root(i));
		show_table(i, code->root(i), 0, 0, 0);
	}
	for (i = 0; i < used_pages; i++)
		if (allocated[i])
			sd_shadow_page(i);
}

const struct sd_subject sd_subject = {
	.name = "lguest",
	.observes = SD_REFERENCES | SD_STORES | SD_TABLES | SD_SWITCHER | SD_SHADOW,
	.create = create, .apply = apply, .destroy = destroy, .inside = inside, .shadow = shadow,
};
