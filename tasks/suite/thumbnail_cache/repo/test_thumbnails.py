import unittest

from thumbnails import ThumbnailCache


class ThumbnailCacheTest(unittest.TestCase):
    def test_returns_what_was_put(self):
        cache = ThumbnailCache(2)
        cache.put("logo", b"png")
        self.assertEqual(cache.get("logo"), b"png")
        self.assertIsNone(cache.get("banner"))
        self.assertEqual((cache.hits, cache.misses), (1, 1))

    def test_putting_again_counts_as_use(self):
        cache = ThumbnailCache(2)
        for name in ["logo", "a", "logo", "b"]:
            cache.put(name, name)
        self.assertEqual(cache.get("logo"), "logo")
        self.assertIsNone(cache.get("a"))

    def test_getting_counts_as_use(self):
        cache = ThumbnailCache(2)
        cache.put("logo", 1)
        cache.put("a", 2)
        cache.get("logo")
        cache.put("b", 3)
        self.assertEqual(cache.get("logo"), 1)
        self.assertIsNone(cache.get("a"))

    def test_forget(self):
        cache = ThumbnailCache(1)
        cache.put("logo", 1)
        cache.forget("logo")
        cache.forget("logo")
        self.assertEqual(len(cache), 0)
