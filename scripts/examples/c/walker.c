/* SPDX-License-Identifier: MIT */
/*
 * A complete machine for shadowdiff, in both paging modes, to start your own from (README.md, one directory up). It
 * is the plainest one that keeps the rules of model/machine.md: the guest's tables are walked directly, and what the
 * shadow holds is one list, searched from one end to the other.
 */
#include "shadowdiff.h"

#define PAGE 4096u
#define NONE UINT32_MAX

/* Bits of an entry; the page number stands from bit 12 up. */
enum { P = 0x1, RW = 0x2, US = 0x4, A = 0x20, D = 0x40, PSE = 0x80 };

static const struct paging {
	uint32_t switcher; /* from here on addresses are the hypervisor's own */
	uint32_t entry_bytes;
	uint32_t leaf; /* depth of a leaf; a root has 0 */
	uint32_t shift[4]; /* by depth: what a node translates, as a power of two */
} pagings[] = {
	[SD_2_LEVEL] = { 0xffc00000, 4, 2, { 32, 22, 12 } }, /* 10 | 10 | 12 */
	[SD_PAE] = { 0xffe00000, 8, 3, { 32, 30, 21, 12 } }, /* 2 | 9 | 9 | 12 */
}, *paging;

/* What the shadow holds, in no order: roots, tables and leaves. */
static struct node {
	uint32_t slot, depth;
	uint32_t base; /* the first address that it translates */
	uint32_t rights; /* RW and US of the entry that leads to it; of a leaf, its own */
	enum sd_target target; /* of a leaf */
	uint32_t page; /* a leaf's target; else the host page of the table */
} nodes[SD_SLOTS * ((1 << 20) + 4 * 512 + 4 + 1)]; /* all that PAE can need; 2-level needs fewer */

static uint32_t gpgdir[SD_SLOTS]; /* by slot: the guest root that it shadows, or NONE */
static uint32_t mapped_cpu[SD_SLOTS]; /* by slot: the host CPU whose Switcher pages it maps, or NONE */
static struct sd_machine machine;
static bool linear, initialized;
static uint32_t current, kernel_address, esp, stack_pages;
static uint32_t node_count, table_count, next_page;
static uint32_t references[SD_STRAY][SD_MOST_PAGES]; /* by target and page */

/* The shadow. */

static uint64_t size_at(uint32_t depth)
{
	return (uint64_t)1 << paging->shift[depth];
}

static struct node *find(uint32_t slot, uint32_t depth, uint32_t vaddr)
{
	struct node *node;

	for (node = nodes; node < nodes + node_count; node++)
		if ((node->base ^ vaddr) < size_at(depth) && node->depth == depth && node->slot == slot)
			return node;
	return NULL;
}

/* A node came or went: a leaf holds a reference on its page, a table is a page of its own. */
static void count(const struct node *node, uint32_t change)
{
	sd_shadow_changed();
	if (node->depth < paging->leaf)
		table_count += change;
	else
		references[node->target][node->page] += change;
	if (node->depth == paging->leaf && node->target == SD_RAM)
		sd_references(node->page, references[SD_RAM][node->page]);
}

static void add(uint32_t slot, uint32_t depth, uint32_t vaddr, uint32_t rights, enum sd_target target, uint32_t page)
{
	struct node node = { slot, depth, vaddr & (uint32_t)-size_at(depth), rights, target, page };

	nodes[node_count++] = node;
	count(&node, 1);
}

static bool add_table(uint32_t slot, uint32_t depth, uint32_t vaddr)
{
	if (sd_allocation_fails())
		return false;
	add(slot, depth, vaddr, RW | US, SD_RAM, next_page++);
	return true;
}

/* The current slot's tables for an address, and rights for the upper entry, which the CPU combines with the leaf. */
static bool make_tables(uint32_t vaddr, uint32_t rights)
{
	uint32_t depth;

	for (depth = 1; depth < paging->leaf; depth++)
		if (!find(current, depth, vaddr) && !add_table(current, depth, vaddr)) {
			sd_kill("out of memory allocating %s page", depth == 1 ? "pte" : "pmd");
			return false;
		}
	find(current, paging->leaf - 1, vaddr)->rights = rights;
	sd_shadow_changed();
	return true;
}

/* Releases the leaves of a slot (SD_SLOTS: of all) that begin in first ... end - 1, and the tables wholly in there. */
static void release(uint32_t slot, uint32_t first, uint64_t end)
{
	uint32_t i;

	for (i = node_count; i-- > 0;) {
		uint64_t size = nodes[i].depth == paging->leaf ? 1 : size_at(nodes[i].depth);

		if ((slot < SD_SLOTS && slot != nodes[i].slot) || nodes[i].depth == 0 || nodes[i].base < first ||
		    nodes[i].base + size > end)
			continue;
		count(&nodes[i], (uint32_t)-1);
		nodes[i] = nodes[--node_count];
	}
}

static void release_leaf(uint32_t slot, uint32_t vaddr)
{
	release(slot, vaddr & -PAGE, (uint64_t)vaddr + 1);
}

/* The leaf of the current slot that allows an access with these rights. */
static struct node *find_allowing(uint32_t vaddr, uint32_t needed)
{
	struct node *leaf = find(current, paging->leaf, vaddr);
	uint32_t rights = leaf ? leaf->rights & find(current, paging->leaf - 1, vaddr)->rights : 0;

	return (rights & needed) == needed ? leaf : NULL;
}

static void map_switcher(void)
{
	if (find(current, paging->leaf, paging->switcher) || !make_tables(paging->switcher, RW | US))
		return;
	add(current, paging->leaf, paging->switcher, 0, SD_SWITCHER_TEXT, 0);
	mapped_cpu[current] = NONE;
}

static void enter_guest(void)
{
	uint32_t cpu = sd_host_cpu(), pages = paging->switcher + PAGE + 2 * PAGE * cpu;

	if (mapped_cpu[current] == cpu)
		return;
	release(current, paging->switcher + PAGE, size_at(0));
	add(current, paging->leaf, pages, RW, SD_SWITCHER_REGISTERS, 0);
	add(current, paging->leaf, pages + PAGE, 0, SD_SWITCHER_STATE, cpu);
	mapped_cpu[current] = cpu;
}

/* 3. Steps. */

struct walk {
	uint32_t upper, home; /* RW and US of the upper entry; where the leaf stands in guest RAM */
	uint64_t entry; /* the leaf */
};

/* Walks the guest's own tables. False if an entry is not present, and after a kill. */
static bool walk(uint32_t vaddr, bool checked, struct walk *found)
{
	uint32_t table = gpgdir[current], depth;

	for (depth = 0;; depth++) {
		uint32_t index = (uint32_t)((vaddr & (size_at(depth) - 1)) / size_at(depth + 1));
		uint32_t flags = machine.paging == SD_PAE && depth == 0 ? P : P | RW | US | A | D;
		uint64_t entry = 0;

		found->home = table + index * paging->entry_bytes;
		if (!sd_ram_read(found->home, &entry))
			sd_kill("bad read address %#x len %u", found->home, paging->entry_bytes);
		found->entry = entry;
		if (!(entry & P) || depth + 1 == paging->leaf)
			return entry & P;
		if (checked && ((entry % PAGE & ~flags) || entry / PAGE >= machine.guest_pages)) {
			sd_kill("bad page %sdirectory entry", depth == 0 ? "" : "middle ");
			return false;
		}
		found->upper = (uint32_t)entry & (RW | US);
		table = (uint32_t)(entry / PAGE * PAGE);
	}
}

/* The page of a leaf. Reserved bits make it too large, and so does a size that is not supported. */
static uint64_t page_of(uint64_t entry)
{
	return entry & PSE ? UINT64_MAX : entry / PAGE;
}

static bool is_device(uint64_t entry)
{
	return page_of(entry) >= machine.guest_pages && page_of(entry) < machine.guest_pages + machine.device_pages;
}

/* Takes the page of a guest's entry and maps it: writable only if it is dirty too. May kill. */
static void install(uint32_t slot, uint32_t vaddr, uint64_t entry)
{
	uint32_t page = (uint32_t)(entry / PAGE), rights = (uint32_t)entry & (entry & D ? RW | US : US);

	if (page_of(entry) >= machine.guest_pages)
		sd_kill("bad page table entry");
	else if (!sd_page_allows(page, (rights & RW) != 0))
		sd_kill("failed to get page %u", page);
	else
		add(slot, paging->leaf, vaddr, rights, SD_RAM, page);
}

static uint32_t physical(uint64_t page, uint32_t vaddr)
{
	return (uint32_t)(page * PAGE) | vaddr % PAGE;
}

/* The page-fault path. RW and US stand where a fault's code has write and user. */
static struct sd_outcome demand(uint32_t vaddr, uint32_t needed)
{
	struct walk found = { RW | US, 0, vaddr / PAGE * PAGE | P | RW };
	uint64_t entry;

	if (!linear && !walk(vaddr, true, &found))
		return sd_fault(needed);
	if ((found.upper & found.entry & needed) != needed)
		return sd_fault(needed | P);
	if (is_device(found.entry))
		return sd_mmio(physical(found.entry / PAGE, vaddr));
	if (page_of(found.entry) >= machine.guest_pages)
		return sd_kill("bad page table entry");
	entry = found.entry | A | (needed & RW ? D : 0);
	if (!make_tables(vaddr, found.upper))
		return sd_ok();
	release_leaf(current, vaddr);
	install(current, vaddr, entry);
	if (!linear)
		sd_ram_write(found.home, entry);
	return sd_mapped(physical(entry / PAGE, vaddr));
}

static void pin_stack(void)
{
	uint32_t i, vaddr;

	for (i = 0; i < stack_pages && !sd_killed(); i++) {
		vaddr = esp - 1 - PAGE * i;
		if (vaddr >= paging->switcher || (!find_allowing(vaddr, RW) && demand(vaddr, RW).kind != SD_MAPPED))
			sd_kill("bad stack page %#x", vaddr);
	}
}

static struct sd_outcome clear_all(void)
{
	release(SD_SLOTS, 0, size_at(0));
	pin_stack();
	map_switcher();
	return sd_ok();
}

/* The lowest slot that shadows a root, or SD_SLOTS. */
static uint32_t slot_shadowing(uint32_t root)
{
	uint32_t slot;

	for (slot = 0; slot < SD_SLOTS; slot++)
		if (gpgdir[slot] == root)
			break;
	return slot;
}

static struct sd_outcome init(uint32_t address)
{
	if (initialized)
		return sd_kill("already have lguest_data");
	initialized = true;
	kernel_address = address;
	if (address >= paging->switcher)
		return sd_kill("bad kernel address %#x", address);
	clear_all();
	return sd_initialized(-paging->switcher);
}

static struct sd_outcome new_pgtable(uint32_t root, uint32_t draw)
{
	uint32_t hit, candidate = draw % SD_SLOTS;
	bool blank = false;

	if (linear)
		release(SD_SLOTS, 0, size_at(0));
	linear = false;
	hit = slot_shadowing(root);
	if (hit < SD_SLOTS) {
		current = hit;
	} else {
		blank = !find(candidate, 0, 0) && add_table(candidate, 0, 0);
		if (find(candidate, 0, 0)) /* else the current one must do */
			current = candidate;
		gpgdir[current] = root;
		release(current, 0, kernel_address);
	}
	sd_shadow_changed();
	if (blank)
		pin_stack();
	map_switcher();
	return sd_ok();
}

static struct sd_outcome set_pte(uint32_t root, uint32_t vaddr, uint64_t pte)
{
	uint32_t slot, shadow = slot_shadowing(root);

	if (vaddr >= paging->switcher)
		return sd_kill("attempt to set pte into Switcher pages");
	for (slot = 0; !linear && slot < SD_SLOTS && !sd_killed(); slot++) {
		if ((vaddr < kernel_address && slot != shadow) || !find(slot, paging->leaf - 1, vaddr))
			continue; /* but a kernel mapping changes in every slot */
		release_leaf(slot, vaddr);
		if ((pte & P) && (pte & A) && !is_device(pte))
			install(slot, vaddr, pte);
	}
	return sd_ok();
}

static struct sd_outcome set_pgd(uint32_t root, uint32_t index)
{
	uint32_t slot = slot_shadowing(root), entries = (uint32_t)(size_at(0) / size_at(1));

	if (index >= entries)
		return sd_kill("Attempt to set pgd %u/%u", index, entries);
	if (slot < SD_SLOTS)
		release(slot, (uint32_t)(index * size_at(1)), (index + 1) * size_at(1));
	if (slot == current) /* another one gets its Switcher back at the next switch to it */
		map_switcher();
	return sd_ok();
}

static struct sd_outcome access_page(uint32_t vaddr, uint32_t needed)
{
	struct node *leaf;

	enter_guest();
	if (vaddr >= paging->switcher)
		return sd_fault(needed);
	leaf = find_allowing(vaddr, needed);
	return leaf ? sd_mapped(physical(leaf->page, vaddr)) : demand(vaddr, needed);
}

static struct sd_outcome guest_pa(uint32_t vaddr)
{
	struct walk found;

	if (linear)
		return sd_physical(vaddr);
	return walk(vaddr, false, &found) ? sd_physical(physical(found.entry / PAGE, vaddr))
					  : sd_kill("Bad address %#x", vaddr);
}

static struct sd_outcome apply(const struct sd_step *step)
{
	static const unsigned char hypercalls[SD_OPS] = { 0, 0, 4, 5, 7, 13, 14, 15 }; /* but INIT */

	if (!initialized && hypercalls[step->op])
		return sd_kill("hypercall %u before INIT", hypercalls[step->op]);
	switch (step->op) {
	case SD_INIT:
		return init(step->as.init.kernel_address);
	case SD_NEW_PGTABLE:
		return new_pgtable(step->as.new_pgtable.root, step->as.new_pgtable.draw);
	case SD_FLUSH_TLB:
		if (!step->as.flush_tlb.user)
			return clear_all();
		release(current, 0, kernel_address);
		return sd_ok();
	case SD_SET_STACK:
		if (step->as.set_stack.pages > 2)
			return sd_kill("bad stack pages %u", step->as.set_stack.pages);
		esp = step->as.set_stack.esp;
		stack_pages = step->as.set_stack.pages;
		pin_stack();
		return sd_ok();
	case SD_SET_PMD:
		return machine.paging == SD_PAE ? clear_all() : sd_kill("Bad hypercall 13");
	case SD_SET_PTE:
		return set_pte(step->as.set_pte.root, step->as.set_pte.vaddr, step->as.set_pte.pte);
	case SD_SET_PGD:
		return set_pgd(step->as.set_pgd.root, step->as.set_pgd.index);
	case SD_ACCESS:
		return access_page(step->as.access.vaddr, (step->as.access.write ? RW : 0) | (step->as.access.user ? US : 0));
	case SD_GUEST_PA:
		return guest_pa(step->as.guest_pa.vaddr);
	default: /* what happens around the machine, which shadowdiff.h does */
		return sd_ok();
	}
}

/* 2. Creation and end. */

static void destroy(void)
{
	release(SD_SLOTS, 0, size_at(0));
	node_count = table_count = 0; /* only roots were left */
}

static struct sd_outcome create(const struct sd_machine *wanted)
{
	machine = *wanted;
	paging = &pagings[machine.paging];
	memset(gpgdir, 0xff, sizeof gpgdir); /* NONE */
	linear = true;
	initialized = false;
	kernel_address = esp = stack_pages = next_page = 0;
	current = machine.draw % SD_SLOTS;
	if (add_table(current, 0, 0))
		map_switcher();
	if (find(current, paging->leaf, paging->switcher))
		return sd_created();
	destroy();
	return sd_no_memory();
}

/* 4. Observations. */

static void inside(struct sd_inside *seen)
{
	seen->tables = table_count;
	seen->text = references[SD_SWITCHER_TEXT][0];
	seen->registers = references[SD_SWITCHER_REGISTERS][0];
	memcpy(seen->state, references[SD_SWITCHER_STATE], sizeof seen->state);
}

static void shadow(void)
{
	const struct node *node;

	sd_shadow_current(current);
	for (node = nodes; node < nodes + node_count; node++) {
		if (node->depth < paging->leaf)
			sd_shadow_page(node->page);
		if (node->depth == 0)
			sd_shadow_root(node->slot, node->page, gpgdir[node->slot]);
		else if (node->depth < paging->leaf)
			sd_shadow_table(node->slot, node->depth, node->base, node->page);
		else
			sd_shadow_leaf(node->slot, node->base, node->target, node->page, node->rights / RW,
				       find(node->slot, paging->leaf - 1, node->base)->rights / RW);
	}
}

const struct sd_subject sd_subject = {
	.name = "walker",
	.observes = SD_REFERENCES | SD_STORES | SD_TABLES | SD_SWITCHER | SD_SHADOW,
	.create = create, .apply = apply, .destroy = destroy, .inside = inside, .shadow = shadow,
};
