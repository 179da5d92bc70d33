//! Paging as LiteLLM's lists do it: pages count from one.

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Counted from one; zero is taken as one.
    pub page: u64,
    /// Rows per page; zero is taken as one.
    pub size: u64,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, size: 10 }
    }
}

impl PageRequest {
    /// Rows before this page.
    #[must_use]
    pub fn offset(self) -> u64 {
        (self.page.max(1) - 1).saturating_mul(self.limit())
    }

    /// Rows of this page at most.
    #[must_use]
    pub fn limit(self) -> u64 {
        self.size.max(1)
    }
}

/// One page of a list and how long the whole list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Rows in the whole list.
    pub total: u64,
    /// This page, counted from one.
    pub page: u64,
    /// Rows per page as asked for.
    pub size: u64,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, total: u64, request: PageRequest) -> Self {
        Self { items, total, page: request.page.max(1), size: request.limit() }
    }

    /// How many pages the list has; zero when it is empty.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1))
    }

    /// The same page with every row converted.
    #[must_use]
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            total: self.total,
            page: self.page,
            size: self.size,
        }
    }
}
