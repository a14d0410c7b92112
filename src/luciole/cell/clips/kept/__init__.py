"""What people keep and pass on: favourites and their collections, reposts, shown likes."""
