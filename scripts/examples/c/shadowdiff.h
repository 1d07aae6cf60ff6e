/* SPDX-License-Identifier: MIT */
/*
 * shadowdiff.h: everything between shadowdiff and a machine written in C.
 *
 * Copy this file beside your machine and include it in one source file. It speaks the subject protocol of
 * model/formats.md: the hello, both encodings, the shadow, edges and the breadcrumb of a crash. C99; no library but
 * libc, and not even that for WebAssembly. A complete machine that uses it: walker.c, beside this file. How to build
 * and run one: README.md, one directory up.
 *
 *	#include "shadowdiff.h"
 *
 *	static struct sd_outcome create(const struct sd_machine *machine) { ... return sd_created(); }
 *	static struct sd_outcome apply(const struct sd_step *step) { ... return sd_mapped(paddr); }
 *	static void destroy(void) { ... }
 *	static void inside(struct sd_inside *inside) { inside->tables = tables; ... }
 *
 *	const struct sd_subject sd_subject = {
 *		.name = "mine",
 *		.observes = SD_REFERENCES | SD_STORES | SD_TABLES | SD_SWITCHER,
 *		.create = create, .apply = apply, .destroy = destroy, .inside = inside,
 *	};
 *
 * shadowdiff as a whole is under the GPL. This file is not, so that a machine that includes it need not be either:
 *
 * Copyright (c) the authors of shadowdiff
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
 * rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
 * permit persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 * COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
 * OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */
#ifndef SHADOWDIFF_H
#define SHADOWDIFF_H

#ifdef __wasm__
#define SD_PIPE 0
#else
#define SD_PIPE 1
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sigaction and sigaltstack under -std=c99 */
#endif
#endif

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if SD_PIPE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#endif

/*
 * Edges are those of the machine: nothing between here and the end of the file is counted. Inlined into the machine it
 * would be, and buffers grow only once in a process.
 */
#if defined(__clang__) && __clang_major__ >= 13
#if __has_feature(coverage_sanitizer)
#define SD_COUNTS_EDGES
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#pragma clang attribute push(__attribute__((noinline)), apply_to = function)
#endif
#endif

#define SD_UNUSED __attribute__((unused)) /* a machine need not call everything */
#define SD_PRINTF __attribute__((unused, format(printf, 1, 2)))

/* (i) What a machine is given. */

enum sd_paging { SD_2_LEVEL, SD_PAE };

#define SD_SLOTS 4
#define SD_MOST_PAGES 4096
#define SD_MOST_CPUS 64

/* The machine that a program asks for. Its bounds are checked: those above, and at least one page and one CPU. */
struct sd_machine {
	enum sd_paging paging;
	uint32_t guest_pages, device_pages, host_cpus, draw;
	uint32_t fail_allocation; /* which allocation of creation fails, from 1; 0: none */
};

enum sd_op {
	SD_STORE, SD_INIT, SD_NEW_PGTABLE, SD_FLUSH_TLB, SD_SET_STACK, SD_SET_PMD, SD_SET_PTE, SD_SET_PGD, SD_ACCESS,
	SD_GUEST_PA, SD_MIGRATE, SD_FAIL_ALLOC, SD_PROTECT,
	SD_OPS /* how many there are */
};

enum sd_protection { SD_NO_ACCESS, SD_READ_ACCESS, SD_WRITE_ACCESS };

/*
 * A step. In 2-level paging the upper half of an entry (value, pte) is 0. Stores are inside guest RAM and aligned, a
 * cpu is below host_cpus, and a page below guest_pages.
 */
struct sd_step {
	enum sd_op op;
	union {
		struct { uint32_t paddr; uint64_t value; } store;
		struct { uint32_t kernel_address; } init;
		struct { uint32_t root, draw; } new_pgtable;
		struct { bool user; /* else all */ } flush_tlb;
		struct { uint32_t esp, pages; } set_stack;
		struct { uint32_t pmd, index; } set_pmd;
		struct { uint32_t root, vaddr; uint64_t pte; } set_pte;
		struct { uint32_t root, index; } set_pgd;
		struct { uint32_t vaddr; bool write, user; } access;
		struct { uint32_t vaddr; } guest_pa;
		struct { uint32_t cpu; } migrate;
		struct { uint32_t count; } fail_alloc;
		struct { uint32_t page; enum sd_protection access; } protect;
	} as;
};

/* (ii) What a machine answers. */

enum sd_kind {
	SD_CREATED, SD_NO_MEMORY, SD_INITIALIZED, SD_OK, SD_MAPPED, SD_FAULT, SD_MMIO, SD_PHYSICAL, SD_STUCK, SD_KILLED,
	SD_DEAD, SD_DESTROYED, SD_HOST_BUG, SD_HALTED, SD_ABSENT
};

/* How a step ended. */
struct sd_outcome {
	enum sd_kind kind;
	uint32_t value;
};

static inline struct sd_outcome sd_outcome(enum sd_kind kind, uint32_t value)
{
	struct sd_outcome outcome;

	outcome.kind = kind;
	outcome.value = value;
	return outcome;
}

SD_UNUSED static inline struct sd_outcome sd_created(void) { return sd_outcome(SD_CREATED, 0); }
SD_UNUSED static inline struct sd_outcome sd_no_memory(void) { return sd_outcome(SD_NO_MEMORY, 0); }
SD_UNUSED static inline struct sd_outcome sd_initialized(uint32_t reserved) { return sd_outcome(SD_INITIALIZED, reserved); }
SD_UNUSED static inline struct sd_outcome sd_ok(void) { return sd_outcome(SD_OK, 0); }
SD_UNUSED static inline struct sd_outcome sd_mapped(uint32_t paddr) { return sd_outcome(SD_MAPPED, paddr); }
SD_UNUSED static inline struct sd_outcome sd_fault(uint32_t code) { return sd_outcome(SD_FAULT, code); }
SD_UNUSED static inline struct sd_outcome sd_mmio(uint32_t paddr) { return sd_outcome(SD_MMIO, paddr); }
SD_UNUSED static inline struct sd_outcome sd_physical(uint32_t paddr) { return sd_outcome(SD_PHYSICAL, paddr); }
SD_UNUSED static inline struct sd_outcome sd_stuck(void) { return sd_outcome(SD_STUCK, 0); }

/* What inside() fills in; it begins as zeros. */
struct sd_inside {
	uint32_t tables; /* host pages held as shadow tables, roots included */
	uint32_t text; /* slots that map the Switcher's text page */
	uint32_t registers; /* slots that map the guest's registers page */
	uint32_t state[SD_MOST_CPUS]; /* for each host CPU, slots that map its state page */
};

/* What a machine observes, beside outcomes. */
enum { SD_REFERENCES = 1, SD_STORES = 2, SD_TABLES = 4, SD_SWITCHER = 8, SD_SHADOW = 16 };

/* Your machine. Define one of this name. */
struct sd_subject {
	const char *name;
	uint32_t observes; /* sum of SD_REFERENCES ... SD_SHADOW; SD_SHADOW needs SD_TABLES and SD_SWITCHER */
	uint32_t pagings; /* sum of 1 << SD_2_LEVEL and 1 << SD_PAE; 0: both */
	uint32_t ops; /* sum of 1 << op for each step it supports; 0: all */
	/* Starts afresh. The last machine was destroyed. */
	struct sd_outcome (*create)(const struct sd_machine *machine);
	/* Not called after a kill, a host bug or no-memory: those steps are answered for it. */
	struct sd_outcome (*apply)(const struct sd_step *step);
	/* Called after a kill too. */
	void (*destroy)(void);
	/* Counts its tables and the references on the Switcher's pages, if it observes them. */
	void (*inside)(struct sd_inside *inside);
	/* Calls the sd_shadow_ functions below for all that the shadow holds, if it observes the shadow. */
	void (*shadow)(void);
};

extern const struct sd_subject sd_subject;

enum sd_target { SD_RAM, SD_SWITCHER_TEXT, SD_SWITCHER_REGISTERS, SD_SWITCHER_STATE, SD_STRAY };

#define SD_WRITABLE 1u
#define SD_USER 2u
#define SD_NO_ROOT UINT32_MAX

/* Ends the process with a message, as when a program cannot be read. */
SD_PRINTF __attribute__((noreturn)) static void sd_refuse(const char *format, ...);

/* (iii) Memory and text, with no libc for WebAssembly. */

#if !SD_PIPE

/* Compilers call these three; each is kept from calling itself. */
#define SD_LIBC(name) __attribute__((no_builtin(#name)))

SD_LIBC(memmove) void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *out = to;
	const unsigned char *in = from;
	size_t i;

	for (i = 0; i < size && out <= in; i++)
		out[i] = in[i];
	while (out > in && size-- > 0)
		out[size] = in[size];
	return to;
}

SD_LIBC(memcpy) void *memcpy(void *to, const void *from, size_t size)
{
	return memmove(to, from, size);
}

SD_LIBC(memset) void *memset(void *to, int byte, size_t size)
{
	unsigned char *out = to;

	while (size-- > 0)
		*out++ = (unsigned char)byte;
	return to;
}

extern unsigned char __heap_base;

/* Memory is only ever added. Buffers double when they grow, so what they leave behind is less than what they hold. */
static void *sd_allocate(void *old, size_t used, size_t size)
{
	static size_t top;
	size_t at = top ? top : ((size_t)&__heap_base + 7) & ~(size_t)7;
	size_t have = __builtin_wasm_memory_size(0), need;

	top = at + ((size + 7) & ~(size_t)7);
	need = (top + 65535) / 65536;
	if (need > have && __builtin_wasm_memory_grow(0, need - have) == (size_t)-1)
		return NULL;
	return memcpy((void *)at, old, used);
}

#else

static void *sd_allocate(void *old, size_t used, size_t size)
{
	(void)used;
	return realloc(old, size);
}

#endif

struct sd_buffer {
	unsigned char *at;
	size_t used, room; /* bytes */
};

static void sd_grow(struct sd_buffer *buffer, size_t more)
{
	size_t room = buffer->room * 2 + more + 4096;
	unsigned char *at = sd_allocate(buffer->at, buffer->used, room);

	if (!at)
		sd_refuse("out of memory");
	buffer->at = at;
	buffer->room = room;
}

static inline void sd_reserve(struct sd_buffer *buffer, size_t more)
{
	if (buffer->room - buffer->used < more)
		sd_grow(buffer, more);
}

static inline void sd_put_bytes(struct sd_buffer *buffer, const void *bytes, size_t size)
{
	sd_reserve(buffer, size);
	if (size > 0)
		memcpy(buffer->at + buffer->used, bytes, size);
	buffer->used += size;
}

static inline void sd_put_word(struct sd_buffer *buffer, uint32_t word)
{
	sd_reserve(buffer, 4);
	*(uint32_t *)(void *)(buffer->at + buffer->used) = word;
	buffer->used += 4;
}

static inline void sd_set_word(struct sd_buffer *buffer, size_t offset, uint32_t word)
{
	*(uint32_t *)(void *)(buffer->at + offset) = word;
}

static void sd_put_entry(struct sd_buffer *buffer, uint64_t entry)
{
	sd_put_word(buffer, (uint32_t)entry);
	sd_put_word(buffer, (uint32_t)(entry >> 32));
}

static void sd_put_text(struct sd_buffer *buffer, const char *text)
{
	const char *end = text;

	while (*end)
		end++;
	sd_put_bytes(buffer, text, (size_t)(end - text));
}

static void sd_put_number(struct sd_buffer *buffer, uint64_t number, unsigned int base)
{
	char digits[20], *at = digits + sizeof digits;

	do
		*--at = "0123456789abcdef"[number % base];
	while (number /= base);
	sd_put_bytes(buffer, at, (size_t)(digits + sizeof digits - at));
}

/* What C's printf does, for the conversions that sd_kill() names. */
static void sd_put_format(struct sd_buffer *buffer, const char *format, va_list values)
{
	for (; *format; format++) {
		bool prefix = false, wide = false;
		unsigned long number;

		if (*format != '%') {
			sd_put_bytes(buffer, format, 1);
			continue;
		}
		for (format++; *format == '#' || *format == 'l'; format++) {
			prefix |= *format == '#';
			wide |= *format == 'l';
		}
		switch (*format) {
		case 's':
			sd_put_text(buffer, va_arg(values, const char *));
			break;
		case 'd':
		case 'u':
		case 'x':
			number = wide ? va_arg(values, unsigned long) : va_arg(values, unsigned int);
			if (prefix && number)
				sd_put_text(buffer, "0x");
			sd_put_number(buffer, number, *format == 'x' ? 16 : 10);
			break;
		case '\0':
			return;
		default:
			sd_put_bytes(buffer, format, 1);
		}
	}
}

/* (iv) What a machine calls: the world around it, and what it reports. */

enum { SD_AT_NOTHING = -1, SD_AT_CREATE = -2, SD_AT_DESTROY = -3 };

static struct {
	struct sd_machine machine;
	struct sd_buffer reason; /* of the kill or the host bug */
	bool killed, broken;

	uint32_t references[SD_MOST_PAGES];
	uint32_t references_before[SD_MOST_PAGES]; /* valid for touched pages */
	uint32_t touched[SD_MOST_PAGES / 32]; /* bitmap: pages whose count may have changed in this step */
	bool any_touched;

	struct sd_buffer stores; /* words: paddr, value */

	bool shadow_changed;
	uint32_t shadow_current, shadow_roots[2 * SD_SLOTS];
	struct sd_buffer shadow_tables, shadow_pages, shadow_leaves;

	struct sd_buffer answer; /* words of the trace */
} sd;

static volatile int sd_at = SD_AT_NOTHING;

/* The world around the machine. */
static struct {
	uint32_t ram[SD_MOST_PAGES * 1024];
	bool written[SD_MOST_PAGES]; /* pages of RAM that may be other than zero */
	enum sd_protection protection[SD_MOST_PAGES];
	uint32_t cpu, fail_nth, fail_next;
} sd_world;

/* The hypervisor wrote a word of guest RAM: for a machine with RAM of its own. A word that stays the same is left out. */
SD_UNUSED static void sd_stored(uint32_t paddr, uint64_t before, uint64_t after)
{
	if (before == after)
		return;
	sd_put_word(&sd.stores, paddr);
	sd_put_entry(&sd.stores, after);
}

/* Reads a page-table word of guest RAM; false if it lies outside. */
SD_UNUSED static bool sd_ram_read(uint32_t paddr, uint64_t *entry)
{
	if (paddr / 4096 >= sd.machine.guest_pages)
		return false;
	*entry = sd_world.ram[paddr / 4];
	if (sd.machine.paging == SD_PAE)
		*entry |= (uint64_t)sd_world.ram[paddr / 4 + 1] << 32;
	return true;
}

static void sd_ram_set(uint32_t paddr, uint64_t entry)
{
	sd_world.written[paddr / 4096] = true;
	sd_world.ram[paddr / 4] = (uint32_t)entry;
	if (sd.machine.paging == SD_PAE)
		sd_world.ram[paddr / 4 + 1] = (uint32_t)(entry >> 32);
}

/* Writes a word of guest RAM for the hypervisor, and reports it if it changes. */
SD_UNUSED static void sd_ram_write(uint32_t paddr, uint64_t entry)
{
	uint64_t before;

	if (!sd_ram_read(paddr, &before))
		sd_refuse("sd_ram_write: %#x is outside guest RAM", paddr);
	sd_stored(paddr, before, entry);
	sd_ram_set(paddr, entry);
}

/* Call this for each host page that is allocated: whether it must fail (fail-alloc, failAllocation). */
SD_UNUSED static bool sd_allocation_fails(void)
{
	if (sd_world.fail_nth > 0 && --sd_world.fail_nth == 0)
		return true;
	if (sd_world.fail_next == 0)
		return false;
	sd_world.fail_next--;
	return true;
}

/* Whether a guest page may be taken by reference (protect). */
SD_UNUSED static bool sd_page_allows(uint32_t page, bool write)
{
	return sd_world.protection[page % SD_MOST_PAGES] >= (write ? SD_WRITE_ACCESS : SD_READ_ACCESS);
}

/* The host CPU that the guest runs on (migrate). */
SD_UNUSED static uint32_t sd_host_cpu(void)
{
	return sd_world.cpu;
}

static void sd_world_begin(void)
{
	uint32_t page;

	for (page = 0; page < SD_MOST_PAGES; page++)
		if (sd_world.written[page])
			memset(&sd_world.ram[page * 1024], 0, 4096);
	memset(sd_world.written, 0, sizeof sd_world.written);
	for (page = 0; page < sd.machine.guest_pages; page++)
		sd_world.protection[page] = SD_WRITE_ACCESS;
	sd_world.cpu = sd_world.fail_next = 0;
	sd_world.fail_nth = sd.machine.fail_allocation;
}

static void sd_world_step(const struct sd_step *step)
{
	if (step->op == SD_STORE)
		sd_ram_set(step->as.store.paddr, step->as.store.value);
	else if (step->op == SD_MIGRATE)
		sd_world.cpu = step->as.migrate.cpu;
	else if (step->op == SD_FAIL_ALLOC)
		sd_world.fail_next = step->as.fail_alloc.count;
	else if (step->op == SD_PROTECT)
		sd_world.protection[step->as.protect.page] = step->as.protect.access;
}

/*
 * Ends the guest, whatever the step returns after that. The first kill of a program wins. Understands %u, %lu, %x, %lx,
 * %#x, %#lx and %s.
 */
SD_PRINTF static struct sd_outcome sd_kill(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	if (!sd.killed && !sd.broken)
		sd_put_format(&sd.reason, format, values);
	va_end(values);
	sd.killed = true;
	return sd_outcome(SD_KILLED, 0);
}

/* The hypervisor itself broke. */
SD_PRINTF static struct sd_outcome sd_host_bug(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	if (!sd.broken) {
		sd.reason.used = 0;
		sd_put_format(&sd.reason, format, values);
	}
	va_end(values);
	sd.broken = true;
	return sd_outcome(SD_HOST_BUG, 0);
}

/* Whether the guest or the host has ended. */
SD_UNUSED static bool sd_killed(void)
{
	return sd.killed || sd.broken;
}

/* The guest page has this many references now. What a step changed is found out here. */
SD_UNUSED static void sd_references(uint32_t page, uint32_t count)
{
	uint32_t bit = 1u << page % 32;

	if (page >= sd.machine.guest_pages)
		sd_refuse("sd_references: there is no guest page %u", page);
	if (!(sd.touched[page / 32] & bit)) {
		sd.touched[page / 32] |= bit;
		sd.any_touched = true;
		sd.references_before[page] = sd.references[page];
	}
	sd.references[page] = count;
}

/*
 * Call this wherever a leaf, an upper entry, a root, a table or the current slot changes: the shadow is then reported
 * after the step. One call too many costs time, one too few hides a change.
 */
SD_UNUSED static void sd_shadow_changed(void)
{
	sd.shadow_changed = true;
}

/* For shadow(), in any order. Host pages are numbers of the machine's choice. */
SD_UNUSED static void sd_shadow_current(uint32_t slot)
{
	sd.shadow_current = slot;
}

/* A slot that has a root page, and the guest root that it shadows or SD_NO_ROOT. */
SD_UNUSED static void sd_shadow_root(uint32_t slot, uint32_t host_page, uint32_t guest_root)
{
	sd.shadow_roots[slot % SD_SLOTS * 2] = host_page;
	sd.shadow_roots[slot % SD_SLOTS * 2 + 1] = guest_root;
}

/* A table below a root (depth 1 or 2), and the first address that it translates. */
SD_UNUSED static void sd_shadow_table(uint32_t slot, uint32_t depth, uint32_t vaddr, uint32_t host_page)
{
	const uint32_t words[] = { slot, depth, vaddr, host_page };

	sd_put_bytes(&sd.shadow_tables, words, sizeof words);
}

/* A host page that is allocated for a root or a table. */
SD_UNUSED static void sd_shadow_page(uint32_t host_page)
{
	sd_put_word(&sd.shadow_pages, host_page);
}

/* A present leaf; page is a guest page for SD_RAM, a CPU for SD_SWITCHER_STATE, a host page for SD_STRAY, else 0. */
SD_UNUSED static void sd_shadow_leaf(uint32_t slot, uint32_t vaddr, enum sd_target target, uint32_t page,
				     uint32_t rights, uint32_t upper_rights)
{
	const uint32_t words[] = { slot, vaddr, (uint32_t)target, page, rights, upper_rights };

	sd_put_bytes(&sd.shadow_leaves, words, sizeof words);
}

/* (v) From a program's words to those of its trace. */

struct sd_words {
	const uint32_t *at, *end;
};

static inline uint32_t sd_next(struct sd_words *words)
{
	if (words->at == words->end)
		sd_refuse("a program that breaks off");
	return *words->at++;
}

static void sd_read_machine(struct sd_words *words, struct sd_machine *machine)
{
	uint32_t paging = sd_next(words);

	machine->paging = paging == SD_PAE ? SD_PAE : SD_2_LEVEL;
	machine->guest_pages = sd_next(words);
	machine->device_pages = sd_next(words);
	machine->host_cpus = sd_next(words);
	machine->draw = sd_next(words);
	machine->fail_allocation = sd_next(words);
	if (paging > SD_PAE)
		sd_refuse("a program with paging %u", paging);
	if (machine->guest_pages < 1 || machine->guest_pages > SD_MOST_PAGES)
		sd_refuse("a program with %u guest pages", machine->guest_pages);
	if (machine->device_pages > SD_MOST_PAGES)
		sd_refuse("a program with %u device pages", machine->device_pages);
	if (machine->host_cpus < 1 || machine->host_cpus > SD_MOST_CPUS)
		sd_refuse("a program with %u host CPUs", machine->host_cpus);
}

/* How many words follow the number of an op. */
static const unsigned char sd_op_words[SD_OPS] = { 3, 1, 2, 1, 2, 2, 4, 2, 2, 1, 1, 1, 2 };

static void sd_read_step(struct sd_words *words, struct sd_step *step)
{
	uint32_t op = sd_next(words), word[4] = { 0, 0, 0, 0 }, size = sd.machine.paging == SD_PAE ? 8 : 4, i;

	if (op >= SD_OPS)
		sd_refuse("a program with step %u, which does not exist", op);
	for (i = 0; i < sd_op_words[op]; i++)
		word[i] = sd_next(words);
	step->op = (enum sd_op)op;
	switch (step->op) {
	case SD_STORE:
		if (word[0] % size || word[0] / 4096 >= sd.machine.guest_pages)
			sd_refuse("a store at %#x, which is not a word of guest RAM", word[0]);
		step->as.store.paddr = word[0];
		step->as.store.value = word[1] | (uint64_t)word[2] << 32;
		break;
	case SD_INIT:
		step->as.init.kernel_address = word[0];
		break;
	case SD_NEW_PGTABLE:
		step->as.new_pgtable.root = word[0];
		step->as.new_pgtable.draw = word[1];
		break;
	case SD_FLUSH_TLB:
		step->as.flush_tlb.user = word[0] != 0;
		break;
	case SD_SET_STACK:
		step->as.set_stack.esp = word[0];
		step->as.set_stack.pages = word[1];
		break;
	case SD_SET_PMD:
		step->as.set_pmd.pmd = word[0];
		step->as.set_pmd.index = word[1];
		break;
	case SD_SET_PTE:
		step->as.set_pte.root = word[0];
		step->as.set_pte.vaddr = word[1];
		step->as.set_pte.pte = word[2] | (uint64_t)word[3] << 32;
		break;
	case SD_SET_PGD:
		step->as.set_pgd.root = word[0];
		step->as.set_pgd.index = word[1];
		break;
	case SD_ACCESS:
		step->as.access.vaddr = word[0];
		step->as.access.write = (word[1] & 1) != 0;
		step->as.access.user = (word[1] & 2) != 0;
		break;
	case SD_GUEST_PA:
		step->as.guest_pa.vaddr = word[0];
		break;
	case SD_MIGRATE:
		if (word[0] >= sd.machine.host_cpus)
			sd_refuse("a migration to CPU %u of %u", word[0], sd.machine.host_cpus);
		step->as.migrate.cpu = word[0];
		break;
	case SD_FAIL_ALLOC:
		step->as.fail_alloc.count = word[0];
		break;
	default: /* SD_PROTECT */
		if (word[0] >= sd.machine.guest_pages || word[1] > SD_WRITE_ACCESS)
			sd_refuse("protection %u of page %u", word[1], word[0]);
		step->as.protect.page = word[0];
		step->as.protect.access = (enum sd_protection)word[1];
	}
}

static bool sd_is_bare(uint32_t kind)
{
	return kind == SD_KILLED || kind == SD_DEAD || kind == SD_HOST_BUG || kind == SD_HALTED || kind == SD_ABSENT;
}

static void sd_begin_step(void)
{
	if (sd.any_touched)
		memset(sd.touched, 0, sizeof sd.touched);
	sd.any_touched = false;
	sd.stores.used = 0;
}

static void sd_answer_reference(uint32_t page)
{
	sd_put_word(&sd.answer, page);
	sd_put_word(&sd.answer, sd.references[page]);
}

/* Those that changed; at the end those that are left. */
static void sd_answer_references(bool destroyed)
{
	size_t start = sd.answer.used;
	uint32_t page, first, bits;

	sd_put_word(&sd.answer, 0);
	for (page = 0; destroyed && page < sd.machine.guest_pages; page++)
		if (sd.references[page] != 0)
			sd_answer_reference(page);
	for (first = 0; !destroyed && sd.any_touched && first < sd.machine.guest_pages; first += 32)
		for (page = first, bits = sd.touched[first / 32]; bits != 0; page++, bits >>= 1)
			if ((bits & 1) && sd.references[page] != sd.references_before[page])
				sd_answer_reference(page);
	sd_set_word(&sd.answer, start, (uint32_t)(sd.answer.used - start - 4) / 8);
}

static void sd_answer_list(const struct sd_buffer *list, size_t words_each)
{
	sd_put_word(&sd.answer, (uint32_t)(list->used / (4 * words_each)));
	sd_put_bytes(&sd.answer, list->at, list->used);
}

static void sd_answer_inside(void)
{
	struct sd_inside inside;

	memset(&inside, 0, offsetof(struct sd_inside, state) + 4 * sd.machine.host_cpus);
	sd_subject.inside(&inside);
	if (sd_subject.observes & SD_TABLES)
		sd_put_word(&sd.answer, inside.tables);
	if (sd_subject.observes & SD_SWITCHER) {
		sd_put_word(&sd.answer, inside.text);
		sd_put_word(&sd.answer, inside.registers);
		sd_put_bytes(&sd.answer, inside.state, 4 * sd.machine.host_cpus);
	}
}

static void sd_answer_shadow(void)
{
	sd.shadow_tables.used = sd.shadow_pages.used = sd.shadow_leaves.used = 0;
	memset(sd.shadow_roots, 0xff, sizeof sd.shadow_roots);
	sd_subject.shadow();
	sd_put_word(&sd.answer, sd.shadow_current);
	sd_put_bytes(&sd.answer, sd.shadow_roots, sizeof sd.shadow_roots);
	sd_answer_list(&sd.shadow_tables, 4);
	sd_answer_list(&sd.shadow_pages, 1);
	sd_answer_list(&sd.shadow_leaves, 6);
	sd.shadow_changed = false;
}

/* Appends the observation of a step that ended so. */
static void sd_answer(struct sd_outcome outcome)
{
	bool shadow;

	if (sd.broken && outcome.kind != SD_HALTED)
		outcome.kind = SD_HOST_BUG;
	else if (sd.killed && outcome.kind < SD_KILLED && outcome.kind != SD_NO_MEMORY)
		outcome.kind = SD_KILLED;
	shadow = (sd_subject.observes & SD_SHADOW) && sd.shadow_changed && !sd_is_bare(outcome.kind) &&
		 outcome.kind != SD_DESTROYED;
	sd_put_word(&sd.answer, (uint32_t)outcome.kind | (shadow ? 256 : 0));
	if (outcome.kind == SD_KILLED || outcome.kind == SD_HOST_BUG) {
		sd_put_word(&sd.answer, (uint32_t)sd.reason.used);
		sd_put_bytes(&sd.answer, sd.reason.at, sd.reason.used);
		sd_put_bytes(&sd.answer, "\0\0\0", -sd.reason.used % 4);
	} else if (outcome.kind >= SD_INITIALIZED && outcome.kind <= SD_PHYSICAL && outcome.kind != SD_OK) {
		sd_put_word(&sd.answer, outcome.value);
	}
	if (sd_is_bare(outcome.kind))
		return;
	if (sd_subject.observes & SD_REFERENCES)
		sd_answer_references(outcome.kind == SD_DESTROYED);
	if (sd_subject.observes & SD_STORES)
		sd_answer_list(&sd.stores, 3);
	if (sd_subject.observes & (SD_TABLES | SD_SWITCHER))
		sd_answer_inside();
	if (shadow)
		sd_answer_shadow();
}

static bool sd_absent; /* the last machine was never created */

static void sd_create(struct sd_words *words)
{
	struct sd_outcome outcome;

	sd_read_machine(words, &sd.machine);
	memset(sd.references, 0, 4 * sd.machine.guest_pages);
	sd.reason.used = 0;
	sd.killed = sd.broken = false;
	sd.shadow_changed = true;
	sd_begin_step();
	sd_at = SD_AT_CREATE;
	sd_world_begin();
	outcome = sd_subject.create(&sd.machine);
	sd_world.fail_nth = 0;
	sd_absent = outcome.kind == SD_NO_MEMORY;
	sd_answer(outcome);
	sd_at = SD_AT_NOTHING;
}

/* The outcome of a step or an end that the machine is not asked for, or SD_OK. */
static enum sd_kind sd_unasked(enum sd_kind after_kill)
{
	return sd_absent ? SD_ABSENT : sd.broken ? SD_HALTED : sd.killed ? after_kill : SD_OK;
}

static void sd_apply(struct sd_words *words, uint32_t number)
{
	enum sd_kind unasked = sd_unasked(SD_DEAD);
	struct sd_step step;

	sd_read_step(words, &step);
	if (unasked != SD_OK) {
		sd_answer(sd_outcome(unasked, 0));
		return;
	}
	sd_begin_step();
	sd_at = (int)number;
	sd_world_step(&step);
	sd_answer(sd_subject.apply(&step));
	sd_at = SD_AT_NOTHING;
}

static void sd_destroy(void)
{
	enum sd_kind unasked = sd_unasked(SD_OK);

	sd_begin_step();
	sd_at = SD_AT_DESTROY;
	if (unasked == SD_OK) {
		sd_subject.destroy();
		unasked = SD_DESTROYED;
	}
	sd.stores.used = 0;
	sd_answer(sd_outcome(unasked, 0));
	sd_at = SD_AT_NOTHING;
}

/*
 * (vi) Edges of the machine's own code, if it is compiled with -fsanitize-coverage=trace-pc-guard (clang). A guard
 * holds the edge's number plus one; once a program has reached the edge, SD_REACHED is added until the next begins.
 */

#define SD_MOST_EDGES (1u << 20)
#define SD_REACHED (1u << 31)

static uint32_t sd_edges; /* how many the machine has */
static uint32_t *sd_reached_guards[SD_MOST_EDGES], sd_reached_count;

void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

/* May be called several times for the same guards. */
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop)
{
	for (; start < stop && sd_edges < SD_MOST_EDGES; start++)
		if (*start == 0)
			*start = ++sd_edges;
}

void __sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
	if (*guard == 0 || *guard >= SD_REACHED)
		return;
	*guard += SD_REACHED;
	sd_reached_guards[sd_reached_count++] = guard;
}

/* What a program reaches must not depend on those before it. */
static void sd_forget_edges(void)
{
	while (sd_reached_count > 0)
		*sd_reached_guards[--sd_reached_count] -= SD_REACHED;
}

static void sd_answer_edges(void)
{
	uint32_t i;

	if (sd_edges == 0)
		return;
	sd_put_word(&sd.answer, sd_reached_count);
	for (i = 0; i < sd_reached_count; i++)
		sd_put_word(&sd.answer, *sd_reached_guards[i] - SD_REACHED - 1);
}

/* (vii) The hello. */

static const char *const sd_op_names[SD_OPS] = {
	"store",   "init",   "new-pgtable", "flush-tlb", "set-stack",  "set-pmd", "set-pte",
	"set-pgd", "access", "guest-pa",    "migrate",   "fail-alloc", "protect",
};
static const char *const sd_paging_names[] = { "2-level", "pae" };
static const char *const sd_observation_names[] = { "references", "stores", "tables", "switcher", "shadow" };

#define SD_IN_FLIGHT 16

static void sd_put_json_bytes(struct sd_buffer *out, const unsigned char *text, size_t length)
{
	size_t i;

	sd_put_text(out, "\"");
	for (i = 0; i < length; i++) {
		if (text[i] < 0x20) {
			sd_put_text(out, text[i] < 0x10 ? "\\u000" : "\\u001");
			sd_put_number(out, text[i] % 16, 16);
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			sd_put_text(out, "\\");
		sd_put_bytes(out, text + i, 1);
	}
	sd_put_text(out, "\"");
}

static void sd_put_json_text(struct sd_buffer *out, const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	sd_put_json_bytes(out, (const unsigned char *)text, length);
}

/* A field of the hello: the names whose bits are set. */
static void sd_put_names(struct sd_buffer *out, const char *key, const char *const *names, size_t count, uint32_t bits)
{
	const char *separator = ",\"";
	size_t i;

	sd_put_text(out, separator);
	sd_put_text(out, key);
	sd_put_text(out, "\":[");
	separator = "";
	for (i = 0; i < count; i++) {
		if (!(bits & 1u << i))
			continue;
		sd_put_text(out, separator);
		sd_put_json_text(out, names[i]);
		separator = ",";
	}
	sd_put_text(out, "]");
}

static void sd_put_hello(struct sd_buffer *out, const char *encoding)
{
	sd_put_text(out, "{\"format\":\"shadowdiff-hello/2\",\"name\":");
	sd_put_json_text(out, sd_subject.name);
	if (sd_subject.pagings)
		sd_put_names(out, "paging", sd_paging_names, 2, sd_subject.pagings);
	if (sd_subject.ops)
		sd_put_names(out, "steps", sd_op_names, SD_OPS, sd_subject.ops);
	sd_put_names(out, "observes", sd_observation_names, 5, sd_subject.observes);
	/* "outcome" stands first in the list, and always. */
	sd_put_text(out, ",\"inFlight\":");
	sd_put_number(out, SD_IN_FLIGHT, 10);
	sd_put_text(out, ",\"encoding\":\"");
	sd_put_text(out, encoding);
	sd_put_text(out, "\",\"edges\":");
	sd_put_number(out, sd_edges, 10);
	sd_put_text(out, "}");
}

#if SD_PIPE

/* (viii) JSON. Inside there are only words: programs are translated to them, and traces from them. */

struct sd_text {
	const char *at, *end;
};

enum sd_field {
	SD_F_FORMAT, SD_F_MACHINE, SD_F_STEPS,
	SD_F_PAGING, SD_F_GUEST_PAGES, SD_F_DEVICE_PAGES, SD_F_HOST_CPUS, SD_F_DRAW, SD_F_FAIL_ALLOCATION,
	SD_F_OP, SD_F_PADDR, SD_F_VALUE, SD_F_KERNEL_ADDRESS, SD_F_ROOT, SD_F_SCOPE, SD_F_ESP, SD_F_PAGES, SD_F_PMD,
	SD_F_INDEX, SD_F_VADDR, SD_F_PTE, SD_F_KIND, SD_F_MODE, SD_F_CPU, SD_F_COUNT, SD_F_PAGE, SD_F_ACCESS,
	SD_FIELDS
};

static const char *const sd_field_names[SD_FIELDS] = {
	"format", "machine", "steps",
	"paging", "guestPages", "devicePages", "hostCpus", "draw", "failAllocation",
	"op", "paddr", "value", "kernelAddress", "root", "scope", "esp", "pages", "pmd",
	"index", "vaddr", "pte", "kind", "mode", "cpu", "count", "page", "access",
};

#define SD_LAST SD_FIELDS /* ends a list of fields */

/* In the order of their words; kind and mode share one. */
static const unsigned char sd_machine_fields[] = {
	SD_F_PAGING, SD_F_GUEST_PAGES, SD_F_DEVICE_PAGES, SD_F_HOST_CPUS, SD_F_DRAW, SD_F_FAIL_ALLOCATION, SD_LAST,
};
static const unsigned char sd_op_fields[SD_OPS][4] = {
	{ SD_F_PADDR, SD_F_VALUE, SD_LAST }, { SD_F_KERNEL_ADDRESS, SD_LAST }, { SD_F_ROOT, SD_F_DRAW, SD_LAST },
	{ SD_F_SCOPE, SD_LAST }, { SD_F_ESP, SD_F_PAGES, SD_LAST }, { SD_F_PMD, SD_F_INDEX, SD_LAST },
	{ SD_F_ROOT, SD_F_VADDR, SD_F_PTE, SD_LAST }, { SD_F_ROOT, SD_F_INDEX, SD_LAST },
	{ SD_F_VADDR, SD_F_KIND, SD_F_MODE, SD_LAST }, { SD_F_VADDR, SD_LAST }, { SD_F_CPU, SD_LAST },
	{ SD_F_COUNT, SD_LAST }, { SD_F_PAGE, SD_F_ACCESS, SD_LAST },
};

enum { SD_HELLO_FORMAT, SD_PROGRAM_FORMAT };

static const struct {
	enum sd_field field;
	const char *word;
	uint32_t value;
} sd_field_words[] = {
	{ SD_F_FORMAT, "shadowdiff-hello/2", SD_HELLO_FORMAT },
	{ SD_F_FORMAT, "shadowdiff-program/1", SD_PROGRAM_FORMAT },
	{ SD_F_PAGING, "2-level", SD_2_LEVEL }, { SD_F_PAGING, "pae", SD_PAE },
	{ SD_F_SCOPE, "all", 0 }, { SD_F_SCOPE, "user", 1 },
	{ SD_F_KIND, "read", 0 }, { SD_F_KIND, "write", 1 },
	{ SD_F_MODE, "kernel", 0 }, { SD_F_MODE, "user", 2 },
	{ SD_F_ACCESS, "none", SD_NO_ACCESS }, { SD_F_ACCESS, "read", SD_READ_ACCESS },
	{ SD_F_ACCESS, "write", SD_WRITE_ACCESS },
};

static bool sd_is(struct sd_text text, const char *name)
{
	size_t length = strlen(name);

	return (size_t)(text.end - text.at) == length && memcmp(text.at, name, length) == 0;
}

static enum sd_field sd_read_name(struct sd_text text)
{
	int field;

	for (field = 0; field < SD_FIELDS; field++)
		if (sd_is(text, sd_field_names[field]))
			return (enum sd_field)field;
	sd_refuse("a program with a field that is not in formats.md");
}

static uint64_t sd_read_digits(struct sd_text text, unsigned int base)
{
	uint64_t number = 0;

	for (; text.at < text.end; text.at++) {
		unsigned int letter = (unsigned char)*text.at, digit = letter <= '9' ? letter - '0' : letter - 'a' + 10;

		if (digit >= base || (digit > 9 && letter < 'a') || number > (UINT64_MAX - digit) / base)
			sd_refuse("a program with a number that cannot be read");
		number = number * base + digit;
	}
	return number;
}

/* What stands between quotes: a hex number or one of a field's words. */
static uint64_t sd_read_word(struct sd_text text, enum sd_field field)
{
	size_t i;

	if (text.end - text.at > 2 && text.at[0] == '0' && text.at[1] == 'x') {
		text.at += 2;
		return sd_read_digits(text, 16);
	}
	for (i = 0; field == SD_F_OP && i < SD_OPS; i++)
		if (sd_is(text, sd_op_names[i]))
			return i;
	for (i = 0; i < sizeof sd_field_words / sizeof *sd_field_words; i++)
		if (sd_field_words[i].field == field && sd_is(text, sd_field_words[i].word))
			return sd_field_words[i].value;
	sd_refuse("a program whose \"%s\" is not in formats.md", sd_field_names[field]);
}

static void sd_put_fields(struct sd_buffer *words, const unsigned char *fields, const uint64_t *values, uint32_t found)
{
	for (; *fields != SD_LAST; fields++) {
		bool entry = *fields == SD_F_VALUE || *fields == SD_F_PTE;

		if (!(found & 1u << *fields))
			sd_refuse("a program without a \"%s\"", sd_field_names[*fields]);
		if (!entry && values[*fields] > UINT32_MAX)
			sd_refuse("a \"%s\" that does not fit 32 bits", sd_field_names[*fields]);
		if (*fields == SD_F_MODE)
			sd_set_word(words, words->used - 4, (uint32_t)(values[SD_F_KIND] | values[SD_F_MODE]));
		else
			sd_put_word(words, (uint32_t)values[*fields]);
		if (entry)
			sd_put_word(words, (uint32_t)(values[*fields] >> 32));
	}
}

/* The token at the start of the line: what stands between quotes, a number, or one character. */
static struct sd_text sd_read_token(struct sd_text *line)
{
	struct sd_text token;
	bool quoted = *line->at == '"';

	token.at = line->at += quoted;
	while (line->at < line->end && (quoted ? *line->at != '"' : *line->at >= '0' && *line->at <= '9'))
		line->at++;
	token.end = line->at;
	if (line->at < line->end && (quoted || token.at == token.end))
		line->at++;
	return token;
}

/*
 * Translates a line to the words of a program. Returns false if it is a hello. Only fields and braces count: an object
 * with an "op" is a step, and one with a "paging" the machine.
 */
static bool sd_read_json(struct sd_text line, struct sd_buffer *program)
{
	static struct sd_buffer steps;
	uint64_t values[SD_FIELDS];
	uint32_t found = 0, count = 0;
	enum sd_field field = SD_F_FORMAT;
	int depth = 0;

	program->used = steps.used = 0;
	while (line.at < line.end) {
		char first = *line.at;
		struct sd_text token = sd_read_token(&line);

		if (first == '"' && line.at < line.end && *line.at == ':') {
			field = sd_read_name(token);
		} else if (first == '"' || (first >= '0' && first <= '9')) {
			values[field] = first == '"' ? sd_read_word(token, field) : sd_read_digits(token, 10);
			found |= 1u << field;
			if (field == SD_F_FORMAT && values[field] == SD_HELLO_FORMAT)
				return false;
		} else if (first == '{') {
			depth++;
			found = 0;
		} else if (first == '}') {
			depth--;
			if (found & 1u << SD_F_OP) {
				sd_put_word(&steps, (uint32_t)values[SD_F_OP]);
				sd_put_fields(&steps, sd_op_fields[values[SD_F_OP] % SD_OPS], values, found);
				count++;
			} else if (found & 1u << SD_F_PAGING) {
				sd_put_fields(program, sd_machine_fields, values, found);
			}
			found = 0;
		}
	}
	if (depth != 0 || program->used != 4 * (sizeof sd_machine_fields - 1))
		sd_refuse("a line that is not a whole program");
	sd_put_word(program, count);
	sd_put_bytes(program, steps.at, steps.used);
	return true;
}

static uint64_t sd_next_entry(struct sd_words *words)
{
	uint64_t low = sd_next(words);

	return low | (uint64_t)sd_next(words) << 32;
}

/* Words to JSON by a template: # a number, @ a hex number, & an entry, $ a text, % a target; all else is itself. */
static void sd_json(struct sd_buffer *out, struct sd_words *words, const char *template)
{
	static const char *const targets[] = { "ram", "switcher-text", "switcher-registers", "switcher-state", "stray" };
	bool entry;
	uint32_t length;

	for (; *template; template++) {
		switch (*template) {
		case '#':
			sd_put_number(out, sd_next(words), 10);
			break;
		case '@':
		case '&':
			entry = *template == '&';
			sd_put_text(out, "\"0x");
			sd_put_number(out, entry ? sd_next_entry(words) : sd_next(words), 16);
			sd_put_text(out, "\"");
			break;
		case '$':
			length = sd_next(words);
			sd_put_json_bytes(out, (const unsigned char *)words->at, length);
			words->at += (length + 3) / 4;
			break;
		case '%':
			sd_put_json_text(out, targets[sd_next(words)]);
			break;
		default:
			sd_put_bytes(out, template, 1);
		}
	}
}

static void sd_json_items(struct sd_buffer *out, struct sd_words *words, uint32_t length, const char *item)
{
	uint32_t i;

	for (i = 0; i < length; i++) {
		if (i > 0)
			sd_put_text(out, ",");
		sd_json(out, words, item);
	}
}

static void sd_json_list(struct sd_buffer *out, struct sd_words *words, const char *name, const char *item)
{
	sd_put_text(out, name);
	sd_put_text(out, "[");
	sd_json_items(out, words, sd_next(words), item);
	sd_put_text(out, "]");
}

static void sd_json_shadow(struct sd_buffer *out, struct sd_words *words)
{
	uint32_t slot;

	sd_json(out, words, ",\"shadow\":{\"current\":#,\"roots\":[");
	for (slot = 0; slot < SD_SLOTS; slot++) {
		bool rooted = words->at[0] != SD_NO_ROOT, shadows = words->at[1] != SD_NO_ROOT;

		if (slot > 0)
			sd_put_text(out, ",");
		sd_json(out, words, rooted && shadows ? "[#,@]" : rooted ? "[#,null]" : "null");
		words->at += rooted && shadows ? 0 : rooted ? 1 : 2;
	}
	sd_json_list(out, words, "],\"tables\":", "[#,#,@,#]");
	sd_json_list(out, words, ",\"pages\":", "#");
	sd_json_list(out, words, ",\"leaves\":", "[#,@,%,#,#,#]");
	sd_put_text(out, "}");
}

static void sd_json_observation(struct sd_buffer *out, struct sd_words *words)
{
	static const char *const outcomes[] = {
		"created\"", "no-memory\"", "initialized\",\"reserved\":@", "ok\"", "mapped\",\"paddr\":@",
		"fault\",\"code\":#", "mmio\",\"paddr\":@", "physical\",\"paddr\":@", "stuck\"", "killed\",\"reason\":$",
		"dead\"", "destroyed\"", "host-bug\",\"reason\":$", "halted\"", "absent\"",
	};
	uint32_t word = sd_next(words), kind = word & 255, observes = sd_is_bare(kind) ? 0 : sd_subject.observes;

	sd_put_text(out, "{\"outcome\":{\"kind\":\"");
	sd_json(out, words, outcomes[kind]);
	sd_put_text(out, "}");
	if (observes & SD_REFERENCES)
		sd_json_list(out, words, ",\"references\":", "[#,#]");
	if (observes & SD_STORES)
		sd_json_list(out, words, ",\"stores\":", "[@,&]");
	if (observes & SD_TABLES)
		sd_json(out, words, ",\"tables\":#");
	if (observes & SD_SWITCHER) {
		sd_json(out, words, ",\"switcher\":{\"text\":#,\"registers\":#,\"state\":[");
		sd_json_items(out, words, sd.machine.host_cpus, "#");
		sd_put_text(out, "]}");
	}
	if (word & 256)
		sd_json_shadow(out, words);
	sd_put_text(out, "}");
}

static void sd_json_trace(struct sd_buffer *out, struct sd_words *words, uint32_t steps)
{
	uint32_t i;

	sd_put_text(out, "{\"created\":");
	sd_json_observation(out, words);
	sd_put_text(out, ",\"steps\":[");
	for (i = 0; i < steps; i++) {
		if (i > 0)
			sd_put_text(out, ",");
		sd_json_observation(out, words);
	}
	sd_put_text(out, "],\"destroyed\":");
	sd_json_observation(out, words);
	if (sd_edges > 0)
		sd_json_list(out, words, ",\"edges\":", "#");
	sd_put_text(out, "}\n");
}

/*
 * (ix) A crash or an exit in the middle of a program: the step is printed on standard error. A signal then goes to the
 * handler that was there before.
 */

static void sd_breadcrumb(void)
{
	static const char create[] = "shadowdiff: at create\n", destroy[] = "shadowdiff: at destroy\n";
	char line[48] = "shadowdiff: at step ", digits[20];
	size_t length = strlen(line), digit = 0;
	int at = sd_at;
	ssize_t ignored = 0;

	if (at == SD_AT_CREATE)
		ignored = write(2, create, sizeof create - 1);
	if (at == SD_AT_DESTROY)
		ignored = write(2, destroy, sizeof destroy - 1);
	(void)ignored;
	if (at < 0)
		return;
	do
		digits[digit++] = (char)('0' + at % 10);
	while (at /= 10);
	while (digit > 0)
		line[length++] = digits[--digit];
	line[length++] = '\n';
	ignored = write(2, line, length);
	(void)ignored;
}

static const int sd_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
#define SD_SIGNALS (sizeof sd_signals / sizeof *sd_signals)
static struct sigaction sd_old_actions[SD_SIGNALS];

static void sd_on_signal(int signal, siginfo_t *info, void *context)
{
	size_t i;

	(void)context;
	sd_breadcrumb();
	for (i = 0; i < SD_SIGNALS; i++)
		if (sd_signals[i] == signal)
			sigaction(signal, &sd_old_actions[i], NULL);
	/* A fault happens again when this returns, with its address for a sanitizer's report; a sent signal does not. */
	if (info->si_code <= 0)
		raise(signal);
}

__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

/* UBSan calls this before each report. With ASan beside it, gcc's has no death callback. */
__attribute__((weak, used)) void __ubsan_on_report(void);
void __ubsan_on_report(void)
{
	sd_breadcrumb();
}

static void sd_watch_crashes(void)
{
	static char stack[1 << 16]; /* a stack that overflows has no room for a handler */
	struct sigaction action;
	stack_t old_stack, new_stack;
	size_t i;

	memset(&new_stack, 0, sizeof new_stack);
	new_stack.ss_sp = stack;
	new_stack.ss_size = sizeof stack;
	if (sigaltstack(NULL, &old_stack) == 0 && (old_stack.ss_flags & SS_DISABLE))
		sigaltstack(&new_stack, NULL);
	memset(&action, 0, sizeof action);
	action.sa_sigaction = sd_on_signal;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	for (i = 0; i < SD_SIGNALS; i++)
		sigaction(sd_signals[i], &action, &sd_old_actions[i]);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(sd_breadcrumb);
	atexit(sd_breadcrumb);
}

/* (x) The pipe. */

static const uint32_t sd_one = 1;
#define SD_LITTLE_ENDIAN (*(const unsigned char *)&sd_one == 1)

static void sd_write_all(int file, const unsigned char *at, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			_exit(2); /* the reader is gone */
		at += written;
		length -= (size_t)written;
	}
}

static void sd_refuse(const char *format, ...)
{
	static unsigned char room[512];
	struct sd_buffer message = { room, 0, sizeof room };
	va_list values;

	sd_put_text(&message, "shadowdiff.h: ");
	va_start(values, format);
	sd_put_format(&message, format, values);
	va_end(values);
	sd_put_text(&message, "\n");
	sd_breadcrumb();
	sd_write_all(2, message.at, message.used);
	_exit(2);
}

/* The next line without its end; false at the end of input. */
static bool sd_read_line(struct sd_text *line)
{
	static char *room;
	static size_t size;
	ssize_t length = getline(&room, &size, stdin);

	if (length <= 0)
		return false;
	line->at = room;
	line->end = room + length - (room[length - 1] == '\n');
	return true;
}

/* The next binary message; false at the end of input. */
static bool sd_read_message(struct sd_words *words)
{
	static struct sd_buffer message;
	uint32_t length;

	if (fread(&length, 4, 1, stdin) != 1)
		return false;
	if (length > 1u << 24)
		sd_refuse("a program of %u words", length);
	message.used = 0;
	sd_reserve(&message, 4 * (size_t)length);
	if (fread(message.at, 4, length, stdin) != length)
		sd_refuse("a program that breaks off");
	words->at = (const uint32_t *)(void *)message.at;
	words->end = words->at + length;
	return true;
}

/* Runs a program; its trace is left in sd.answer, behind room for a length. Returns its number of steps. */
static uint32_t sd_run(struct sd_words *program)
{
	uint32_t steps, i;

	sd.answer.used = 0;
	sd_put_word(&sd.answer, 0);
	sd_forget_edges();
	sd_create(program);
	steps = sd_next(program);
	for (i = 0; i < steps; i++)
		sd_apply(program, i);
	sd_destroy();
	sd_answer_edges();
	if (program->at != program->end)
		sd_refuse("a program with %lu words too many", (unsigned long)(program->end - program->at));
	return steps;
}

static void sd_speak_json(struct sd_text line)
{
	static struct sd_buffer program, out;

	do {
		struct sd_words words;
		uint32_t steps;

		if (!sd_read_json(line, &program))
			sd_refuse("a hello that is not the first line");
		words.at = (const uint32_t *)(void *)program.at;
		words.end = words.at + program.used / 4;
		steps = sd_run(&words);
		words.at = (const uint32_t *)(void *)sd.answer.at + 1;
		words.end = (const uint32_t *)(void *)(sd.answer.at + sd.answer.used);
		out.used = 0;
		sd_json_trace(&out, &words, steps);
		sd_write_all(1, out.at, out.used);
	} while (sd_read_line(&line));
}

static void sd_speak_binary(void)
{
	struct sd_words program;

	while (sd_read_message(&program)) {
		sd_run(&program);
		sd_set_word(&sd.answer, 0, (uint32_t)(sd.answer.used / 4 - 1));
		sd_write_all(1, sd.answer.at, sd.answer.used);
	}
}

/* --json: speak JSON even to a harness that could speak binary, so that a person can read along. */
int main(int argc, char **argv)
{
	bool json = (argc == 2 && strcmp(argv[1], "--json") == 0) || !SD_LITTLE_ENDIAN;
	static struct sd_buffer hello, program;
	struct sd_text line;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--json") != 0))
		sd_refuse("the only argument is --json");
	sd_watch_crashes();
	setvbuf(stdin, NULL, _IOFBF, 1 << 16);
	if (!sd_read_line(&line))
		return 0;
	if (sd_read_json(line, &program)) {
		sd_speak_json(line);
		return 0;
	}
	sd_put_hello(&hello, json ? "json" : "binary");
	sd_put_text(&hello, "\n");
	sd_write_all(1, hello.at, hello.used);
	if (!json)
		sd_speak_binary();
	else if (sd_read_line(&line))
		sd_speak_json(line);
	return 0;
}

#else /* !SD_PIPE */

/* (xi) WebAssembly: shadowdiff calls these, and reads and writes words in memory. */

#define SD_EXPORT(name) __attribute__((export_name(#name)))

void __wasm_call_ctors(void);

static void sd_refuse(const char *format, ...)
{
	(void)format;
	__builtin_trap();
}

static uint32_t sd_input[8], sd_step_number;
static bool sd_unfinished; /* a program was created and not destroyed */

SD_EXPORT(shadowdiff_hello) const unsigned char *shadowdiff_hello(void)
{
	static struct sd_buffer hello;

	if (hello.used == 0) {
		__wasm_call_ctors();
		sd_put_hello(&hello, "binary");
		sd_put_bytes(&hello, "", 1);
	}
	return hello.at;
}

SD_EXPORT(shadowdiff_input) uint32_t *shadowdiff_input(void)
{
	return sd_input;
}

static struct sd_words sd_begin_answer(void)
{
	struct sd_words words = { sd_input, sd_input + 8 };

	sd.answer.used = 0;
	sd_put_word(&sd.answer, 0);
	return words;
}

static const unsigned char *sd_end_answer(void)
{
	sd_set_word(&sd.answer, 0, (uint32_t)(sd.answer.used / 4 - 1));
	return sd.answer.at;
}

SD_EXPORT(shadowdiff_create) const unsigned char *shadowdiff_create(void)
{
	struct sd_words words = sd_begin_answer();

	if (sd_unfinished) {
		sd_destroy(); /* a finding cut the last program off */
		words = sd_begin_answer();
	}
	sd_unfinished = true;
	sd_step_number = 0;
	sd_forget_edges();
	sd_create(&words);
	return sd_end_answer();
}

SD_EXPORT(shadowdiff_apply) const unsigned char *shadowdiff_apply(void)
{
	struct sd_words words = sd_begin_answer();

	sd_apply(&words, sd_step_number++);
	return sd_end_answer();
}

SD_EXPORT(shadowdiff_destroy) const unsigned char *shadowdiff_destroy(void)
{
	sd_begin_answer();
	sd_destroy();
	sd_unfinished = false;
	sd_end_answer();
	sd_answer_edges();
	return sd.answer.at;
}

#endif

#ifdef SD_COUNTS_EDGES
#pragma clang attribute pop
#pragma clang attribute pop
#endif

#endif
