//! The memory allocator of a binary that is linked with musl. musl's own asks the kernel for memory
//! in many small pieces, and a run of aido is too short for that to pay (docs/performance.md).
//!
//! dlmalloc, with the kernel asked for larger pieces, and the pages that every run needs had at once
//! instead of one by one as they are touched.
#![expect(unsafe_code, reason = "an allocator, and the kernel's memory for it")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

/// Asked of the kernel at once: all that a run without much output needs.
const PIECE_BYTES: usize = 256 * 1024;
/// The part of the first piece that every run uses.
const USED_BYTES: usize = 48 * 1024;

#[global_allocator]
static HEAP: Heap = Heap {
    taken: AtomicBool::new(false),
    heap: UnsafeCell::new(prepared()),
};

const fn prepared() -> Dlmalloc<Kernel> {
    let mut heap = Dlmalloc::new_with_allocator(Kernel {
        had_first: AtomicBool::new(false),
    });
    // Refused for sizes that are no power of two; then the pieces are smaller, no more.
    heap.set_granularity(PIECE_BYTES);
    heap
}

/// An allocator that one thread at a time may use. There is one nearly always, so nobody waits.
struct Heap {
    taken: AtomicBool,
    heap: UnsafeCell<Dlmalloc<Kernel>>,
}

// SAFETY: `with` lets one thread at a time have it.
unsafe impl Sync for Heap {}

impl Heap {
    fn with<T>(&self, use_it: impl FnOnce(&mut Dlmalloc<Kernel>) -> T) -> T {
        while self.taken.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: nobody else has it until `taken` is false again, and no use of it allocates.
        let result = use_it(unsafe { &mut *self.heap.get() });
        self.taken.store(false, Ordering::Release);
        result
    }
}

// SAFETY: each call is dlmalloc's own, with what it was given; dlmalloc doesn't panic.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size and alignment will do.
        self.with(|heap| unsafe { heap.malloc(layout.size(), layout.align()) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        self.with(|heap| unsafe { heap.calloc(layout.size(), layout.align()) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller has this memory from here, with this layout.
        self.with(|heap| unsafe { heap.free(memory, layout.size(), layout.align()) });
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        self.with(|heap| unsafe { heap.realloc(memory, layout.size(), layout.align(), new_size) })
    }
}

/// Memory from the kernel, in whole pages.
struct Kernel {
    had_first: AtomicBool,
}

// SAFETY: pieces come from mmap(2), so they are nobody else's, aligned to pages and zero.
unsafe impl Allocator for Kernel {
    fn alloc(&self, size_bytes: usize) -> (*mut u8, usize, u32) {
        // SAFETY: a new mapping, wherever there is room.
        let piece = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if piece == libc::MAP_FAILED {
            return (ptr::null_mut(), 0, 0);
        }
        if !self.had_first.swap(true, Ordering::Relaxed) {
            // SAFETY: inside the mapping. A kernel that doesn't know it (before 5.14) says so and
            // does nothing.
            unsafe { libc::madvise(piece, USED_BYTES.min(size_bytes), libc::MADV_POPULATE_WRITE) };
        }
        (piece.cast(), size_bytes, 0)
    }

    fn remap(&self, piece: *mut u8, size: usize, new_size: usize, can_move: bool) -> *mut u8 {
        let flags = if can_move { libc::MREMAP_MAYMOVE } else { 0 };
        // SAFETY: dlmalloc passes a piece that it has from here.
        let moved = unsafe { libc::mremap(piece.cast(), size, new_size, flags) };
        if moved == libc::MAP_FAILED {
            ptr::null_mut()
        } else {
            moved.cast()
        }
    }

    fn free_part(&self, piece: *mut u8, size: usize, new_size: usize) -> bool {
        // SAFETY: as above; the end of the piece isn't used any more.
        unsafe { libc::munmap(piece.add(new_size).cast(), size - new_size) == 0 }
    }

    fn free(&self, piece: *mut u8, size: usize) -> bool {
        // SAFETY: as above; nothing of the piece is used any more.
        unsafe { libc::munmap(piece.cast(), size) == 0 }
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        4096
    }
}
