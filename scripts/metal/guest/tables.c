/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: those of the kernel's own address spaces, the kernel's entry in the program's, and the words
 * of program RAM with all that the MMU may do to them.
 */
#include "guest.h"

#define PGD_ENTRIES 1024
#define PAE_ENTRIES 512

/*
 * The window, and RAM as it appears before the first new-pgtable: mapped to itself, for the supervisor.
 * entry.S makes the first two.
 */
__attribute__((aligned(PAGE))) u32 linear_root[PGD_ENTRIES], linear_table[PGD_ENTRIES];
__attribute__((aligned(PAGE))) u32 window_table[PGD_ENTRIES];
static __attribute__((aligned(PAGE))) u64 pae_linear_middle[PAE_ENTRIES], pae_linear_table[PAE_ENTRIES];
static __attribute__((aligned(PAGE))) u64 pae_window_middle[PAE_ENTRIES], pae_window_table[PAE_ENTRIES];
static __attribute__((aligned(32))) u64 pae_linear_root[4];

#define CR0_WP (1u << 16)
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_PGE 0x80
#define EFER 0xc0000080
#define EFER_NXE (1u << 11)

bool pae;
static u32 features; /* of the program that runs */

static struct {
	u32 linear_pages;
	u32 root;
	bool linear;
} tables;

bool linear(void)
{
	return tables.linear;
}

u32 current_root(void)
{
	return tables.root;
}

/* (i) Words of program RAM, seen through the window. */

static u32 entry_bytes(void)
{
	return pae ? 8 : 4;
}

static volatile u32 *ram(u32 paddr)
{
	return (volatile u32 *)(WINDOW + paddr);
}

static u64 ram_entry(u32 paddr)
{
	return ram(paddr)[0] | (pae ? (u64)ram(paddr)[1] << 32 : 0);
}

/* The half with P last: an entry that becomes present is whole when it does. */
static void set_ram_entry(u32 paddr, u64 entry)
{
	if (pae)
		ram(paddr)[1] = entry >> 32;
	ram(paddr)[0] = entry;
}

/* (ii) Tags (layout.h). */

static u32 tag_of(u32 paddr)
{
	return TAG | paddr / PAGE << TAG_PAGE_SHIFT;
}

static void tag(u32 paddr)
{
	set_ram_entry(paddr, pae ? tag_of(paddr) * 0x100000001ull : tag_of(paddr));
}

/*
 * (iii) The kernel's entry in the program's address space. CR3 can change under the kernel because each root
 * leads to the window; to the program its words are as it stored them. Where the kernel's entry lies, the
 * program's value is kept here:
 *
 *	2-level		entry 1023 of the root
 *	PAE		entry 511 of the table of 512 that entry 3 of the root points at, and entry 3
 *
 * Entry 3 has the kernel's own table where the program has none. It is kept in any case: a CPU has loaded it
 * with CR3, and a store does not reach it (SDM 4.4.1). QEMU's TCG reads it at every walk, and would lose the
 * window.
 */

struct kept {
	u32 paddr;
	u64 entry;
};

static struct kept kept[2];
static u32 kept_count;

static struct kept *kept_at(u32 paddr)
{
	u32 i;

	for (i = 0; i < kept_count; i++)
		if (kept[i].paddr == paddr)
			return &kept[i];
	return 0;
}

/* A word as the program knows it. */
static u64 program_entry(u32 paddr)
{
	const struct kept *own = kept_at(paddr);

	return own ? own->entry : ram_entry(paddr);
}

static void keep(struct kept *list, u32 *count, u32 paddr, u64 kernels)
{
	list[*count].paddr = paddr;
	list[*count].entry = program_entry(paddr);
	++*count;
	set_ram_entry(paddr, kernels);
}

/* Puts the kernel's entry under a root. What is kept then is added to the list. */
static void enter(u32 root, struct kept *list, u32 *count)
{
	u64 top;

	if (!pae) {
		keep(list, count, root + 1023 * 4, PHYSICAL(window_table) | P | RW | US | A);
		return;
	}
	top = program_entry(root + 3 * 8);
	if (top & P && top / PAGE < RAM_PAGES)
		keep(list, count, (u32)(top & -PAGE) + 511 * 8, PHYSICAL(pae_window_table) | P | RW | US | A);
	else
		top = PHYSICAL(pae_window_middle) | P;
	keep(list, count, root + 3 * 8, top);
}

/* Gives the program the words back that are kept no longer. */
static void leave(const struct kept *list, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!kept_at(list[i].paddr))
			set_ram_entry(list[i].paddr, list[i].entry);
}

/*
 * (iv) The words that the program has stored, with their values as the harness knows them: those that were
 * stored or reported last. Only they can be present, so only in them a sound MMU sets A and D.
 */

struct word {
	u32 paddr;
	bool marked; /* A may be set, and is not reported yet */
	u64 entry;
};

#define MOST_WORDS (COUNT(mailbox->in) / 4) /* a store takes four words of a program */
static struct word words[MOST_WORDS];
static u32 word_count;
static u16 word_numbers[RAM_PAGES * PAGE / 4]; /* from 1, by address */

static struct word *word_at(u32 paddr)
{
	u32 number = word_numbers[paddr / 4];

	return number ? &words[number - 1] : 0;
}

/*
 * PAE: whether a word is one of the four at the top, of the root in use. A CPU reads them when CR3 is
 * loaded, and has no A to set in them (SDM 4.4.1). QEMU's TCG reads them at every walk and sets bit 5, which
 * is reserved: SHOWS_PDPTES reports that.
 */
static bool in_top(u32 paddr)
{
	return pae && !tables.linear && (paddr & -32) == tables.root && !(variant & SHOWS_PDPTES);
}

/* Bit 5 of the words at the top is not reported. */
static void mark_top(void)
{
	u32 i;

	for (i = 0; i < word_count; i++)
		words[i].marked |= in_top(words[i].paddr);
}

void store(u32 paddr, u64 entry)
{
	struct kept *own;
	struct word *word;

	if (paddr / PAGE >= RAM_PAGES || paddr % entry_bytes())
		die("a store at %x", paddr);
	word = word_at(paddr);
	if (!word) {
		word = &words[word_count++];
		word->paddr = paddr;
		word_numbers[paddr / 4] = word_count;
	}
	word->entry = entry;
	word->marked = in_top(paddr);
	own = kept_at(paddr);
	if (own)
		own->entry = entry;
	else
		set_ram_entry(paddr, entry);
}

static void load_cr3(u32 cr3)
{
	asm volatile("movl %0, %%cr3" : : "r"(cr3) : "memory");
}

/* Both roots lead to the window while CR3 changes. */
void load_root(u32 root)
{
	struct kept next[2], last[2] = { kept[0], kept[1] };
	u32 next_count = 0, last_count = kept_count;

	if (root / PAGE >= RAM_PAGES)
		die("a root at %x, outside of RAM", root);
	enter(root, next, &next_count);
	load_cr3(root);
	kept[0] = next[0];
	kept[1] = next[1];
	kept_count = next_count;
	leave(last, last_count);
	tables.root = root;
	tables.linear = false;
	mark_top();
}

#define LONGEST_PATH 3

/* A directory entry that maps a page of 4 MB, or 2 MB in PAE (SDM 4.3 and 4.4.2). */
static bool is_large(u64 entry, u32 shift)
{
	return shift > 12 && entry & PS && features & LARGE_PAGES;
}

/*
 * The words that a walk reads from top to bottom, as far as it comes, without PAE's root, which has no
 * flags. Returns how many.
 */
static u32 path_to(u32 vaddr, u32 *path)
{
	u32 shift = pae ? 21 : 22, table = tables.root, count = 0;
	u64 entry;

	if (pae) {
		entry = program_entry(table + (vaddr >> 30) * 8);
		if (!(entry & P))
			return 0;
		table = entry & -PAGE;
	}
	for (; shift >= 12; shift -= pae ? 9 : 10) {
		u32 paddr = table + (vaddr >> shift) % (PAGE / entry_bytes()) * entry_bytes();

		if (paddr / PAGE >= RAM_PAGES)
			break;
		path[count++] = paddr;
		entry = program_entry(paddr);
		if (!(entry & P) || is_large(entry, shift))
			break;
		table = entry & -PAGE;
	}
	return count;
}

static void report(struct word *word, u32 *count)
{
	u64 now = program_entry(word->paddr);

	if (now == word->entry)
		return;
	word->entry = now;
	word->marked = false;
	answer(word->paddr);
	answer(now);
	answer(now >> 32);
	++*count;
}

void report_no_stores(void)
{
	if (!(variant & NO_STORES))
		answer(0);
}

/*
 * Answers which words changed in an access: A and D from top to bottom, then whatever else changed.
 *
 * SDM 4.8 leaves open whether a walk that ends in a fault sets A in the upper entries that it passed, and
 * CPUs and emulators differ. Such an A counts from the first access through the entry that succeeds.
 */
void report_stores(u32 vaddr, bool faulted)
{
	u32 path[LONGEST_PATH], length = tables.linear ? 0 : path_to(vaddr, path);
	u32 count_at = mailbox->words_out, count = 0, i;

	if (variant & NO_STORES)
		return;
	answer(0);
	for (i = 0; i < length; i++) {
		struct word *word = word_at(path[i]);

		if (!word)
			continue;
		if (!faulted)
			report(word, &count);
		else if (i < length - 1)
			word->marked = true;
	}
	for (i = 0; i < word_count; i++)
		if (!words[i].marked || program_entry(words[i].paddr) != (words[i].entry | A))
			report(&words[i], &count);
	mailbox->out[count_at] = count;
}

/* (v) Which page an access reached. */

/* That to which the tables lead; RAM_PAGES if to none. */
static u32 page_in_tables(u32 vaddr)
{
	u32 path[LONGEST_PATH], length, page;
	u64 leaf;

	if (tables.linear)
		return vaddr / PAGE;
	length = path_to(vaddr, path);
	leaf = length ? program_entry(path[length - 1]) : 0;
	page = (u32)leaf / PAGE;
	if (length == 1 && is_large(leaf, pae ? 21 : 22))
		page = vaddr % (pae ? 1 << 21 : 1 << 22) / PAGE;
	return leaf & P && page < RAM_PAGES ? page : RAM_PAGES;
}

/*
 * Finds the page that holds a word at that offset. If several do, it is the page to which the tables lead:
 * an access to the wrong one goes unseen then, and no right one is called wrong.
 */
static u32 find_page(u32 vaddr, u32 word)
{
	u32 likely = page_in_tables(vaddr), page;

	if (likely < RAM_PAGES && *ram(likely * PAGE + vaddr % PAGE) == word)
		return likely;
	for (page = 0; page < RAM_PAGES; page++)
		if (*ram(page * PAGE + vaddr % PAGE) == word)
			return page;
	die("an access to %x that reached no page of RAM, and read or wrote %x", vaddr, word);
}

/* Takes the marker away again: a program's writes change nothing that it sees. */
static u32 page_written(u32 vaddr)
{
	u32 page = find_page(vaddr, MARKER), paddr = page * PAGE + vaddr % PAGE, entry = paddr & -entry_bytes();
	const struct word *word = word_at(entry);

	if (kept_at(entry))
		die("a write to the kernel's own entry at %x", entry);
	*ram(paddr) = word ? word->entry >> (paddr - entry) * 8 : tag_of(paddr);
	return page;
}

/* vaddr is that of a word; word is what was read from it. */
u32 page_reached(u32 vaddr, u32 how, u32 word)
{
	if (how & ACCESS_WRITE)
		return page_written(vaddr);
	if ((word & ~TAG_PAGE_MASK) == TAG)
		return (word & TAG_PAGE_MASK) >> TAG_PAGE_SHIFT;
	return find_page(vaddr, word);
}

/* (vi) Beginning and end of the kernel, and of a program. */

/* entry.S has made the least of 2-level tables, with which the kernel runs up to here. */
void build_tables(void)
{
	extern u8 user_begin;
	u32 user = PHYSICAL(&user_begin) / PAGE, i;

	for (i = 0; i < PAE_ENTRIES; i++)
		pae_window_table[i] = i * PAGE | P | RW | A | D;
	window_table[512 + user] = pae_window_table[user] = user * PAGE | P | US | A;
	pae_window_middle[511] = PHYSICAL(pae_window_table) | P | RW | US | A;
	pae_linear_root[3] = PHYSICAL(pae_window_middle) | P;
	pae_linear_table[KERNEL / PAGE] = KERNEL | P | RW | A | D;
	pae_linear_middle[0] = PHYSICAL(pae_linear_table) | P | RW | A;
	pae_linear_root[0] = PHYSICAL(pae_linear_middle) | P;
	for (i = 0; i < RAM_PAGES * PAGE; i += 4)
		*ram(i) = tag_of(i);
}

static u32 linear_cr3(void)
{
	return pae ? PHYSICAL(pae_linear_root) : PHYSICAL(linear_root);
}

static u32 cpuid_edx(u32 leaf)
{
	u32 a = leaf, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return d;
}

static u32 highest_extended_leaf(void)
{
	u32 a = 0x80000000, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return a;
}

u32 cpu_features(void)
{
	u32 basic = cpuid_edx(1), extended = highest_extended_leaf() > 0x80000000 ? cpuid_edx(0x80000001) : 0;

	return WRITE_PROTECT_OFF | RESERVED_BITS | (basic & 1 << 3 ? LARGE_PAGES : 0) |
	       (basic & 1 << 13 ? GLOBAL_PAGES : 0) | (extended & 1 << 20 ? NO_EXECUTE : 0);
}

static void set_write_protection(bool on)
{
	u32 cr0;

	asm volatile("movl %%cr0, %0" : "=r"(cr0));
	asm volatile("movl %0, %%cr0" : : "r"(on ? cr0 | CR0_WP : cr0 & ~CR0_WP) : "memory");
}

static void load_cr4(u32 cr4)
{
	asm volatile("movl %0, %%cr4" : : "r"(cr4) : "memory");
}

/* A CPU without NXE has no such bit to clear. */
static void set_no_execute(bool on)
{
	u32 low, high;

	if (!(cpu_features() & NO_EXECUTE))
		return;
	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(EFER));
	low = on ? low | EFER_NXE : low & ~EFER_NXE;
	asm volatile("wrmsr" : : "a"(low), "d"(high), "c"(EFER) : "memory");
}

/* In the kernel's own address space. CR4.PGE was 0, so nothing global is cached. */
static void switch_features(bool wants_pae)
{
	u32 cr4 = (wants_pae ? CR4_PAE : 0) | (features & LARGE_PAGES ? CR4_PSE : 0) |
		  (features & GLOBAL_PAGES ? CR4_PGE : 0);

	set_no_execute(features & NO_EXECUTE);
	if (pae != wants_pae) {
		pae = wants_pae;
		set_paging(linear_cr3(), cr4);
	} else {
		load_cr4(cr4);
		load_cr3(linear_cr3());
	}
	set_write_protection(!(features & WRITE_PROTECT_OFF));
}

void begin_tables(bool wants_pae, u32 guest_pages, u32 wanted_features)
{
	u32 page;

	for (page = 0; page < RAM_PAGES; page++)
		linear_table[page] = pae_linear_table[page] = page < guest_pages ? page * PAGE | P | RW : 0;
	tables.linear = true;
	features = wanted_features;
	switch_features(wants_pae);
}

/* Leaves RAM as if there had been no program. */
void end_tables(void)
{
	u32 i;

	load_cr3(linear_cr3());
	load_cr4(pae ? CR4_PAE : 0); /* a change of CR4.PGE drops what is global (SDM 4.10.4.1) */
	for (i = 0; i < kept_count; i++)
		tag(kept[i].paddr);
	kept_count = 0;
	for (i = 0; i < word_count; i++) {
		tag(words[i].paddr);
		word_numbers[words[i].paddr / 4] = 0;
	}
	word_count = 0;
}
