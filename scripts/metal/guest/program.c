/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs: reads the words of one, does its steps on the real MMU, and writes the words of its trace
 * (model/formats.md, Binary encoding). What a step means is in model/machine.md, 3; here it is what a guest
 * does that has no hypercalls.
 */
#include "guest.h"

/* The numbers of steps and of outcomes, as formats.md counts them. */
enum op {
	STORE, INIT, NEW_PGTABLE, FLUSH_TLB, SET_STACK, SET_PMD, SET_PTE, SET_PGD, ACCESS,
};
enum outcome {
	CREATED, NO_MEMORY, INITIALIZED, OK, MAPPED, FAULT, DESTROYED = 11,
};

static struct {
	const u32 *at, *end;
	u32 kernel_address, switcher_address;
	u32 last_root; /* that new-pgtable was given; for LAST_ROOT */
} program;

static u32 next(void)
{
	if (program.at == program.end)
		die("a program that breaks off");
	return *program.at++;
}

static u64 next_entry(void)
{
	u64 low = next();

	return low | (u64)next() << 32;
}

void answer(u32 word)
{
	if (mailbox->words_out == COUNT(mailbox->out))
		die("traces that do not fit the mailbox");
	mailbox->out[mailbox->words_out++] = word;
}

/* An observation without stores. */
static void answer_outcome(enum outcome outcome)
{
	answer(outcome);
	report_no_stores();
}

static void invalidate(u32 vaddr)
{
	asm volatile("invlpg (%0)" : : "r"(vaddr) : "memory");
}

/* The store comes after the invalidation that belongs to it, and the CPU may read the page in between. */
static void store_late(u32 paddr, u64 entry)
{
	bool announced = program.end - program.at >= 3 && program.at[0] == SET_PTE;
	u32 vaddr = program.at[2] & ~3, word;

	if (announced && vaddr < program.switcher_address) {
		invalidate(vaddr);
		touch(vaddr, 0, &word);
	}
	store(paddr, entry);
}

static void step_store(void)
{
	u32 paddr = next();
	u64 entry = next_entry();

	if (variant & EARLY_FLUSH && !linear())
		store_late(paddr, entry);
	else
		store(paddr, entry);
	answer_outcome(OK);
}

static void step_init(void)
{
	program.kernel_address = next();
	answer(INITIALIZED);
	answer(-program.switcher_address);
	report_no_stores();
}

static void step_new_pgtable(void)
{
	u32 root = next(), last = program.last_root;

	next(); /* the draw: a CPU has no slots */
	program.last_root = root;
	load_root(variant & LAST_ROOT && !linear() ? last : root);
	answer_outcome(OK);
}

/* Reloading CR3 flushes all that is not global (SDM 4.10.4.1). In PAE it loads the PDPTEs as well (4.4.1). */
static void reload_root(void)
{
	if (!linear())
		load_root(current_root());
	answer_outcome(OK);
}

/* An entry of another root needs nothing: it is loaded with CR3. */
static void step_set_pgd(void)
{
	u32 root = next();

	next(); /* the index */
	if (root == current_root() && !(variant & NO_PGD_RELOAD))
		reload_root();
	else
		answer_outcome(OK);
}

/* The kernel half is the same in every root. */
static void step_set_pte(void)
{
	u32 root = next(), vaddr = next();

	next_entry(); /* it was stored before */
	if (!linear() && (vaddr >= program.kernel_address || root == current_root()) &&
	    !(variant & (NO_INVLPG | EARLY_FLUSH)))
		invalidate(vaddr);
	answer_outcome(OK);
}

/*
 * The word around vaddr, which lies in the same page. The window is answered for as if it were not there: a
 * program must not see, let alone change, what it is run by.
 */
static void step_access(void)
{
	u32 vaddr = next(), how = next(), aligned = vaddr & ~3, word = MARKER, code;
	bool faulted;

	if (vaddr >= program.switcher_address) {
		answer(FAULT);
		answer((how & (ACCESS_WRITE | ACCESS_USER)) << 1 | (how & ACCESS_EXECUTE) << 2);
		report_no_stores();
		return;
	}
	faulted = touch(aligned, variant & USER_AT_CPL_0 ? how & ~ACCESS_USER : how, &word);
	if (faulted) {
		code = fault_code;
		if (fault_address != aligned)
			die("a page fault at %x with %x in CR2", aligned, fault_address);
		answer(FAULT);
		answer(code);
	} else {
		answer(MAPPED);
		answer(page_reached(aligned, how, word) * PAGE | vaddr % PAGE);
	}
	report_stores(vaddr, faulted);
}

static void run_step(void)
{
	u32 op = next();

	switch (op) {
	case STORE:
		step_store();
		break;
	case INIT:
		step_init();
		break;
	case NEW_PGTABLE:
		step_new_pgtable();
		break;
	case SET_PMD:
		next();
		/* fall through */
	case FLUSH_TLB:
		next();
		reload_root();
		break;
	case SET_PTE:
		step_set_pte();
		break;
	case SET_PGD:
		step_set_pgd();
		break;
	case ACCESS:
		step_access();
		break;
	default:
		die("step %x, which this guest cannot do", op);
	}
}

static void create(void)
{
	u32 first = next(), paging = first & 0xff, features = first >> 8, guest_pages = next(), i;

	for (i = 0; i < 4; i++)
		next(); /* device pages, host CPUs, draw and failed allocation belong to a hypervisor */
	if (paging > 1 || guest_pages < 1 || guest_pages > RAM_PAGES)
		die("a machine with paging %x and %x pages", paging, guest_pages);
	if (features & ~cpu_features())
		die("a machine with the features %x, of which this CPU has %x", features, cpu_features());
	begin_tables(paging, guest_pages, features);
	program.switcher_address = paging ? 0xffe00000 : 0xffc00000;
	program.kernel_address = 0xffffffff;
	answer_outcome(CREATED);
}

void run_program(const u32 *words, const u32 *end)
{
	u32 length_at = mailbox->words_out, steps, i;

	program.at = words;
	program.end = end;
	answer(0);
	mailbox->step = AT_CREATE;
	create();
	steps = next();
	for (i = 0; i < steps; i++) {
		mailbox->step = i;
		run_step();
	}
	mailbox->step = AT_DESTROY;
	end_tables();
	answer_outcome(DESTROYED);
	mailbox->out[length_at] = mailbox->words_out - length_at - 1;
}
