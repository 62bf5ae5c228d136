"""Deployment: puts an agent on a device over ssh and rsync, renews it, and takes it away without a trace.

Pure plans of steps (:mod:`plan`, :mod:`removal`), made of what was found on the device (:mod:`facts`, by the script
:mod:`look`); a thin shell carries them out (:mod:`shell`, :mod:`visit`), for many devices at a time (:mod:`fleet`).
"""
