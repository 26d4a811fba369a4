"""Detection on millions of images: a job in a folder or at an address, which any number of starts finish.

The input is cut into chunks, and the plan lists each of them once, before any work. The rows of a chunk are one part
file with the chunk's name, written whole or not at all: so a chunk is done if its part is there, and nothing can be
there twice. The engines only spread the work.
"""
