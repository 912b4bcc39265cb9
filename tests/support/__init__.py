"""What tests build on: valid values, real projects, a scripted model server."""
